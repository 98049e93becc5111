#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/metrics/corpus_metric.h"
#include "seq2seq/search/error_rate_training.h"
#include "seq2seq/search/n_best_lists.h"
#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const char kLists[] =
    "0 ||| a b ||| logprob= -1.000000 length= 3.000000 ||| -0.500000\n"
    "0 ||| a c ||| logprob= -2.000000 length= 3.000000 ||| -0.700000\n"
    "2 ||| d ||| logprob= -0.500000 length= 2.000000 ||| -0.100000\n";

TEST(NBestLists, ComeBackFromAFile) {
  const TemporaryFolder folder;
  auto lists = NBestLists::Read(folder.Write("lists", kLists));
  ASSERT_TRUE(lists.ok()) << lists.status();
  EXPECT_THAT(lists->names, ElementsAre("logprob", "length"));
  EXPECT_EQ(lists->size(), 3);
  ASSERT_EQ(lists->lists.size(), 2u);
  EXPECT_EQ(lists->lists[1].sentence, 2);
  EXPECT_EQ(lists->Text(lists->lists[0]) + lists->Text(lists->lists[1]), kLists);
  ASSERT_TRUE(lists->AddFeature("lm", {-3, -1, -1}).ok());
  EXPECT_FALSE(lists->AddFeature("lm", {0, 0, 0}).ok());
  lists->Rank({1, 0, 1});
  EXPECT_EQ(lists->lists[0].entries[0].text, "a c");
  EXPECT_EQ(lists->lists[0].entries[0].score, -3);
}

TEST(NBestLists, TranslationsMayContainBars) {
  const TemporaryFolder folder;
  const auto lists = NBestLists::Read(folder.Write("lists", "0 ||| a ||| b ||| x= 1 ||| 2\n"));
  ASSERT_TRUE(lists.ok()) << lists.status();
  EXPECT_EQ(lists->lists[0].entries[0].text, "a ||| b");
  EXPECT_EQ(lists->lists[0].entries[0].score, 2);
}

TEST(NBestLists, ErrorsNameTheLine) {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& text) {
    return std::string(NBestLists::Read(folder.Write("lists", text)).status().message());
  };
  EXPECT_THAT(error(std::string(kLists) + "3 ||| e\n"),
              HasSubstr("lists:4: expected sentence |||"));
  EXPECT_THAT(error(std::string(kLists) + "3 ||| e ||| x= 1 ||| 0\n"),
              HasSubstr("lists:4: the first line has other features"));
  EXPECT_THAT(error(std::string(kLists) + "1 ||| e ||| logprob= 1 length= 1 ||| 0\n"),
              HasSubstr("lists:4: expected sentences in their order"));
  EXPECT_THAT(error("0 ||| e ||| x= ||| 0\n"), HasSubstr("the feature 'x' has no value"));
  EXPECT_THAT(error("0 ||| e ||| x= y ||| 0\n"), HasSubstr("found 'y'"));
  EXPECT_THAT(error("0 ||| e ||| x= nan ||| 0\n"), HasSubstr("found 'nan'"));
  EXPECT_THAT(error(""), HasSubstr("has no n-best lists"));
}

// Random features and texts; each list has a reference among its texts.
struct Task {
  explicit Task(size_t features) {
    uint64_t state = 7;
    const auto next = [&] { return state = state * 6364136223846793005u + 1442695040888963407u; };
    references.resize(1);
    for (size_t f = 0; f < features; ++f) lists.names.push_back(absl::StrCat("f", f));
    for (int64_t list = 0; list < 12; ++list) {
      lists.lists.push_back({list, {}});
      for (int i = 0; i < 6; ++i) {
        NBestEntry entry;
        entry.text = std::string(1, static_cast<char>('a' + i)) + " x";
        for (size_t f = 0; f < features; ++f)
          entry.features.push_back(static_cast<double>(next() >> 40) / (1 << 23) - 1);
        lists.lists.back().entries.push_back(entry);
      }
      references[0].push_back(std::string(1, static_cast<char>('a' + (next() >> 33) % 6)) + " x");
    }
  }

  double Score(const CorpusMetric& metric, const std::vector<double>& weights) const {
    NBestLists ranked = lists;
    ranked.Rank(weights);
    std::vector<std::string> best;
    for (const NBestList& list : ranked.lists) best.push_back(list.entries[0].text);
    return metric.Score(metric.Count(best, references)->Sum());
  }

  NBestLists lists;
  std::vector<std::vector<std::string>> references;
};

TEST(TrainWeights, AgreesWithTryingEveryDirectionOfTwoFeatures) {
  const Task task(2);
  for (const MetricKind kind : {MetricKind::kAccuracy, MetricKind::kWer, MetricKind::kChrf}) {
    const auto metric = *MakeMetric(kind);
    const double sign = metric->LowerIsBetter() ? -1 : 1;
    double best = -INFINITY;
    for (int i = 0; i < 3600; ++i) {
      const double angle = i * M_PI / 1800;
      best = std::max(best, sign * task.Score(*metric, {std::cos(angle), std::sin(angle)}));
    }
    const auto trained = TrainWeights(task.lists, *metric, task.references, {1, 1});
    ASSERT_TRUE(trained.ok()) << trained.status();
    EXPECT_NEAR(trained->before, task.Score(*metric, {1, 1}), 1e-9);
    EXPECT_NEAR(trained->after, task.Score(*metric, trained->weights), 1e-9);
    EXPECT_GE(sign * trained->after, best - 1e-9);
    EXPECT_NEAR(std::abs(trained->weights[0]) + std::abs(trained->weights[1]), 1, 1e-9);
  }
}

TEST(TrainWeights, IsAFunctionOfItsArguments) {
  const Task task(4);
  const auto metric = *MakeMetric(MetricKind::kAccuracy);
  const auto one = TrainWeights(task.lists, *metric, task.references, {1, 0, 0, 0});
  const auto other = TrainWeights(task.lists, *metric, task.references, {1, 0, 0, 0});
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->weights, other->weights);
  EXPECT_GT(one->after, one->before);
}

}  // namespace
}  // namespace seq2seq
