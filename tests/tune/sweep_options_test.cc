#include "seq2seq/tune/sweep_options.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "seq2seq/base/file.h"
#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kRest[] = "folder: sweep\nbudget: {trials: 5}\n";

class ReadSweepTest : public testing::Test {
 protected:
  absl::StatusOr<Sweep> Read(const std::string& text, std::vector<std::string> settings = {}) {
    const std::string path = folder_.path() + "/sweep.yaml";
    EXPECT_TRUE(WriteFile(path, text).ok());
    return ReadSweep(path, settings);
  }

  // The error of a sweep with these lines of parameters.
  std::string ParameterError(const std::string& lines) {
    const auto sweep = Read(absl::StrCat("parameters:\n", lines, kRest));
    EXPECT_EQ(sweep.status().code(), absl::StatusCode::kInvalidArgument) << lines;
    return std::string(sweep.status().message());
  }

  TemporaryFolder folder_;
};

TEST_F(ReadSweepTest, ReadsOptionsAndParameters) {
  const auto sweep = Read(
      "method: evolution\nmetric: {name: loss, goal: minimize}\nfolder: work\n"
      "parameters:\n"
      "  train.rate: {min: 0.001, max: 0.1, distribution: log_uniform}\n"
      "  dropout: {min: 0.1, max: 0.5, step: 0.1}\n"
      "  hidden: {min: 64, max: 512}\n"
      "  kind: {values: [constant, cosine]}\n"
      "  length: {values: [400u, 800u], when: {kind: cosine}}\n"
      "  freeze: {values: [[], [a, b]]}\n"
      "  seed: {value: 3}\n"
      "early_terminate: {type: asha, min: 100, eta: 2}\nbudget: {minutes: 1.5}\n",
      {"parallel=2", "budget.trials=7"});
  ASSERT_TRUE(sweep.ok()) << sweep.status();
  EXPECT_EQ(sweep->options.method, SearchMethod::kEvolution);
  EXPECT_EQ(sweep->options.metric.goal, Goal::kMinimize);
  EXPECT_EQ(sweep->options.budget.trials, 7);
  EXPECT_EQ(sweep->options.parallel, 2);
  const std::vector<Parameter>& parameters = sweep->space.parameters();
  ASSERT_EQ(parameters.size(), 7);
  EXPECT_EQ(parameters[0].distribution, Distribution::kLogUniform);
  EXPECT_EQ(parameters[0].max, 0.1);
  EXPECT_EQ(parameters[1].step, 0.1);
  EXPECT_EQ(parameters[2].distribution, Distribution::kInt);
  EXPECT_EQ(parameters[4].when, (Condition{3, {"cosine"}}));
  EXPECT_THAT(parameters[5].values, ElementsAre("[]", "[a,b]"));
  EXPECT_THAT(parameters[6].values, ElementsAre("3"));
}

TEST_F(ReadSweepTest, MistakesNameFileLineKeyAndValue) {
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"  rate: 3\n", ":2: rate: expected {values"},
      {"  rate: {min: 1}\n", ":2: rate: expected values, or min and max"},
      {"  rate: {min: 1, max: 2, values: [3]}\n", "expected values, or min and max"},
      {"  rate: {min: 2, max: 1}\n", "min <= max, found 2 and 1"},
      {"  rate: {min: 0, max: 1, distribution: log_uniform}\n", "min > 0, found 0"},
      {"  rate: {min: 0.5, max: 1, distribution: int}\n", "whole numbers"},
      {"  rate: {min: 1, max: 2, distribution: normal}\n", "uniform, log_uniform"},
      {"  rate: {min: x, max: 2}\n", "expected a number"},
      {"  rate: {minimum: 1, max: 2}\n", "unknown key 'minimum'"},
      {"  rate: {values: []}\n", "expected a list of values"},
      {"  rate: {values: [1, 1]}\n", "'1' is given twice"},
      {"  rate: {values: [1]}\n  rate: {values: [2]}\n", ":3: rate: is given twice"},
      {"  a: {values: [1], when: {b: 2}}\n", "'b' is no parameter that stands before it"},
      {"  b: {values: [1]}\n  a: {values: [1], when: {b: 2}}\n", "'2' is no value of b"},
      {"  b: {min: 1, max: 2}\n  a: {values: [1], when: {b: 1}}\n", "'b' has no list"},
      {"  train.run: {values: [a, b]}\n", "the sweep sets this one"},
      {"  tokenizer.vocab_size: {values: [500, 600]}\n", "tokenizer_text"},
      {"  {}\n", "expected parameters"},
  };
  for (const auto& [lines, message] : mistakes)
    EXPECT_THAT(ParameterError(lines), HasSubstr(message)) << lines;
  EXPECT_THAT(ParameterError("  rate: 3\n"), HasSubstr("sweep.yaml"));
}

TEST_F(ReadSweepTest, UnknownKeysAndBoundsAreRefused) {
  const std::string parameters = "parameters: {a: {min: 0.0, max: 1}}\n";
  const auto error = [&](const std::string& rest) {
    return std::string(Read(parameters + rest).status().message());
  };
  EXPECT_THAT(error("folder: a\nbudgt: {trials: 3}\n"),
              AllOf(HasSubstr(":3: unknown key 'budgt'"), HasSubstr("budget")));
  EXPECT_THAT(error("folder: a\n"), HasSubstr("minutes or trials"));
  EXPECT_THAT(error("budget: {trials: 3}\n"), HasSubstr("folder"));
  EXPECT_THAT(error(absl::StrCat(kRest, "method: grid\n")), HasSubstr("a: expected a step"));
  EXPECT_THAT(error(absl::StrCat(kRest, "early_terminate: {type: asha}\n")),
              HasSubstr("early_terminate.min"));
  EXPECT_THAT(error(absl::StrCat(kRest, "parallel: 0\n")), HasSubstr("parallel"));
  EXPECT_THAT(std::string(Read(kRest).status().message()), HasSubstr("has no parameters"));
  EXPECT_THAT(std::string(Read("- a\n").status().message()), HasSubstr("sweep.yaml"));
}

}  // namespace
}  // namespace seq2seq
