#include "seq2seq/data/data_options.h"

#include <functional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

DataOptions Valid() {
  DataOptions options;
  options.train = {"a.en", "a.de"};
  options.valid = {"v.tsv"};
  return options;
}

TEST(TrainCorpora, AreCutByTheNumberOfWeights) {
  DataOptions options = Valid();
  EXPECT_THAT(TrainCorpora(options), ElementsAre(ElementsAre("a.en", "a.de")));
  options.weights = {1, 2};
  EXPECT_THAT(TrainCorpora(options), ElementsAre(ElementsAre("a.en"), ElementsAre("a.de")));
  options.train = {"a.en", "a.de", "b.en", "b.de"};
  EXPECT_THAT(TrainCorpora(options),
              ElementsAre(ElementsAre("a.en", "a.de"), ElementsAre("b.en", "b.de")));
}

TEST(ValidateData, NamesTheKeyAndItsValue) {
  EXPECT_TRUE(Validate(Valid()).ok());
  const std::pair<std::string, std::function<void(DataOptions&)>> mistakes[] = {
      {"data.train: 3 files", [](DataOptions& o) { o.train.push_back("b.en"); }},
      {"data.train: 2 files",
       [](DataOptions& o) {
         o.weights = {1, 1, 1};
       }},
      {"data.weights: 0",
       [](DataOptions& o) {
         o.weights = {1, 0};
       }},
      {"data.valid: 0 files", [](DataOptions& o) { o.valid.clear(); }},
      {"data.valid: 1 files",
       [](DataOptions& o) {
         o.valid_names = {"a", "b"};
       }},
      {"data.valid_names: 'a.b'", [](DataOptions& o) { o.valid_names = {"a.b"}; }},
      {"data.valid_names: a",
       [](DataOptions& o) {
         o.valid = {"v.tsv", "w.tsv"};
         o.valid_names = {"a", "a"};
       }},
      {"data.sampling.alpha: 2", [](DataOptions& o) { o.sampling.alpha = 2; }},
      {"data.batch.size: 0", [](DataOptions& o) { o.batch.size = 0; }},
  };
  for (const auto& [expected, make] : mistakes) {
    DataOptions options = Valid();
    make(options);
    const std::string message(Validate(options).message());
    const size_t colon = expected.find(':');
    EXPECT_THAT(message, StartsWith(expected.substr(0, colon + 1)));
    EXPECT_THAT(message, HasSubstr("found" + expected.substr(colon + 1)));
  }
}

}  // namespace
}  // namespace seq2seq
