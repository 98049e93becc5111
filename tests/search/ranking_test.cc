#include "seq2seq/search/ranking.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace seq2seq {
namespace {

TEST(NormalizedScore, FollowsItsFormulas) {
  SearchOptions options;
  options.normalization = LengthNormalization::kNone;
  EXPECT_DOUBLE_EQ(NormalizedScore(-6, 4, options), -6);
  options.normalization = LengthNormalization::kAverage;
  EXPECT_DOUBLE_EQ(NormalizedScore(-6, 4, options), -1.5);
  options.length_alpha = 0.6;
  options.normalization = LengthNormalization::kGnmt;
  EXPECT_DOUBLE_EQ(NormalizedScore(-6, 4, options), -6 / std::pow(1.5, 0.6));
  EXPECT_DOUBLE_EQ(NormalizedScore(-6, 1, options), -6);
  options.normalization = LengthNormalization::kPower;
  EXPECT_DOUBLE_EQ(NormalizedScore(-6, 4, options), -6 / std::pow(4, 0.6));
  options.length_reward = 0.5;
  options.normalization = LengthNormalization::kReward;
  EXPECT_DOUBLE_EQ(NormalizedScore(-6, 4, options), -4);
  options.length_alpha = 0;
  options.normalization = LengthNormalization::kGnmt;
  EXPECT_DOUBLE_EQ(NormalizedScore(-6, 40, options), -6);
}

TEST(HighestScore, IsABoundOfAllEndings) {
  for (const auto normalization :
       {LengthNormalization::kNone, LengthNormalization::kAverage, LengthNormalization::kGnmt,
        LengthNormalization::kPower, LengthNormalization::kReward}) {
    for (const double reward : {-0.7, 0.7}) {
      SearchOptions options;
      options.normalization = normalization;
      options.length_reward = reward;
      const double bound = HighestScore(-3, 4, 9, options);
      double highest = -1e9;
      for (int64_t length = 4; length <= 9; ++length) {
        const double score = NormalizedScore(-3, length, options);
        EXPECT_LE(score, bound + 1e-12);
        EXPECT_LE(NormalizedScore(-3.5, length, options), bound);
        highest = std::max(highest, score);
      }
      EXPECT_DOUBLE_EQ(highest, bound);
    }
  }
}

TEST(CoverageScore, CountsUncoveredPositions) {
  EXPECT_DOUBLE_EQ(CoverageScore(std::vector<float>{1, 2.5F}), 0);
  EXPECT_NEAR(CoverageScore(std::vector<float>{0.5F, 1, 0.25F}), std::log(0.125), 1e-6);
  EXPECT_LT(CoverageScore(std::vector<float>{0, 1}), -20);
  EXPECT_TRUE(std::isfinite(CoverageScore(std::vector<float>{0})));
}

TEST(Rank, SortsByScoreAndKeepsTheOrderOfEqualOnes) {
  std::vector<Hypothesis> hypotheses(4);
  const double scores[] = {-2, -1, -2, -1.5};
  for (size_t i = 0; i < 4; ++i) {
    hypotheses[i].score = scores[i];
    hypotheses[i].tokens = {static_cast<int32_t>(i)};
  }
  Rank(hypotheses);
  std::vector<int32_t> order;
  for (const Hypothesis& hypothesis : hypotheses) order.push_back(hypothesis.tokens[0]);
  EXPECT_EQ(order, (std::vector<int32_t>{1, 3, 0, 2}));
}

}  // namespace
}  // namespace seq2seq
