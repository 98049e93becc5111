#include "seq2seq/metrics/sentence_metric.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

std::vector<double> Scores(MetricKind kind, const std::vector<std::string>& hypotheses,
                           const std::vector<std::vector<std::string>>& references,
                           const std::vector<std::vector<std::string>>& corpus = {}) {
  const auto metric = MakeSentenceMetric(kind, {}, corpus);
  EXPECT_TRUE(metric.ok()) << metric.status();
  const auto scores = ScoreSentences(**metric, hypotheses, references);
  EXPECT_TRUE(scores.ok()) << scores.status();
  return *scores;
}

TEST(SentenceMetric, BleuTellsShortSentencesApart) {
  // One word: 1/1, and 1/1 for each longer order, which has no n-gram.
  const auto scores = Scores(MetricKind::kBleu, {"a", "b", "a b"}, {{"a", "a", "a c"}});
  EXPECT_NEAR(scores[0], 1, 1e-9);
  EXPECT_EQ(scores[1], 0);
  EXPECT_GT(scores[2], 0.1);
  EXPECT_LT(scores[2], 0.9);
}

TEST(SentenceMetric, ErrorsAreNegative) {
  EXPECT_THAT(Scores(MetricKind::kWer, {"a b", "a c"}, {{"a b", "a b"}}),
              ElementsAre(DoubleNear(0, 1e-9), DoubleNear(-0.5, 1e-9)));
}

TEST(SentenceMetric, CiderTakesItsFrequenciesFromTheCorpus) {
  // "a" is in every image of the corpus, and weighs nothing.
  const std::vector<std::vector<std::string>> corpus = {{"a dog", "a cat", "a man"}};
  const auto weighted =
      Scores(MetricKind::kCider, {"a dog", "a dog"}, {{"a man", "the dog"}}, corpus);
  EXPECT_EQ(weighted[0], 0);
  EXPECT_GT(weighted[1], 0.5);
  EXPECT_GT(Scores(MetricKind::kCider, {"a dog"}, {{"a man"}})[0], 0.5);
}

TEST(SentenceMetric, OfACorpusAloneIsRefused) {
  EXPECT_FALSE(MakeSentenceMetric(MetricKind::kF1).ok());
}

}  // namespace
}  // namespace seq2seq
