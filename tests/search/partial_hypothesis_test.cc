#include "seq2seq/search/partial_hypothesis.h"

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PartialHypothesisTest : public ::testing::Test {
 protected:
  PartialHypothesisTest() { options_.normalization = LengthNormalization::kNone; }

  void Append(PartialHypothesis& hypothesis, int32_t token, double score, double penalty = 1) {
    hypothesis.Append(token, score, penalty, [this]() -> absl::Span<const float> {
      ++attention_calls_;
      return weights_;
    });
  }

  SearchOptions options_;
  SearchTask task_;
  std::vector<float> weights_ = {0.5F, 0.25F, 0.25F};
  int attention_calls_ = 0;
};

TEST_F(PartialHypothesisTest, TotalHasPenaltiesAndLogProbabilityHasNone) {
  PartialHypothesis hypothesis(options_, task_);
  Append(hypothesis, 5, -1);
  Append(hypothesis, 5, -3, /*penalty=*/1.5);
  EXPECT_EQ(hypothesis.total(), -4);
  Append(hypothesis, kEosId, -0.5);
  EXPECT_THAT(hypothesis.generated(), ElementsAre(5, 5));
  const Hypothesis found = std::move(hypothesis).Finish();
  EXPECT_THAT(found.tokens, ElementsAre(5, 5));
  EXPECT_THAT(found.token_scores, ElementsAre(-1, -2, -0.5));
  EXPECT_EQ(found.log_probability, -3.5);
  EXPECT_EQ(found.score, -4.5);
}

TEST_F(PartialHypothesisTest, LengthOfTheScoreCountsTheEndOfSentence) {
  options_.normalization = LengthNormalization::kAverage;
  PartialHypothesis hypothesis(options_, task_);
  Append(hypothesis, 5, -1);
  Append(hypothesis, kEosId, -2);
  EXPECT_EQ(std::move(hypothesis).Finish().score, -1.5);
}

TEST_F(PartialHypothesisTest, AttentionIsComputedOnlyIfItIsNeeded) {
  PartialHypothesis hypothesis(options_, task_);
  Append(hypothesis, kEosId, -1);
  EXPECT_EQ(attention_calls_, 0);
  EXPECT_THAT(std::move(hypothesis).Finish().attention, IsEmpty());
}

TEST_F(PartialHypothesisTest, CopiesShareTheWeightsSoFar) {
  task_.attention = true;
  PartialHypothesis hypothesis(options_, task_);
  Append(hypothesis, 5, -1);
  PartialHypothesis copy = hypothesis;
  weights_ = {0, 1, 0};
  Append(copy, 6, -1);
  Append(hypothesis, kEosId, -1);
  const Hypothesis longer = std::move(copy).Finish();
  const Hypothesis shorter = std::move(hypothesis).Finish();
  ASSERT_EQ(longer.attention.size(), 2u);
  EXPECT_THAT(*longer.attention[0], ElementsAre(0.5F, 0.25F, 0.25F));
  EXPECT_THAT(*longer.attention[1], ElementsAre(0, 1, 0));
  EXPECT_EQ(longer.attention[0], shorter.attention[0]);
}

TEST_F(PartialHypothesisTest, CoveragePenaltyIsThatOfTheSumOfTheWeights) {
  options_.coverage_penalty = 0.5;
  PartialHypothesis hypothesis(options_, task_);
  Append(hypothesis, 5, -1);
  Append(hypothesis, kEosId, -1);
  const Hypothesis found = std::move(hypothesis).Finish();
  // Coverage 1, 0.5 and 0.5.
  EXPECT_DOUBLE_EQ(found.score, -2 + 0.5 * 2 * std::log(0.5));
  EXPECT_THAT(found.attention, IsEmpty());  // Not requested.
}

}  // namespace
}  // namespace seq2seq
