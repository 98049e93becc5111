#include "seq2seq/kernels/log_mean_exp.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "tests/kernels/numbers.h"

namespace seq2seq {
namespace {

TEST(LogMeanExp, AgreesWithItsFormula) {
  for (const int64_t size : {1, 7, 33, 1000}) {
    for (const size_t count : {1, 2, 5}) {
      std::vector<std::vector<float>> scores;
      std::vector<MemberRow> members;
      for (size_t m = 0; m < count; ++m) {
        scores.push_back(Numbers(size, 10 * m + 1));
        for (float& score : scores.back()) score *= 20;
      }
      for (size_t m = 0; m < count; ++m)
        members.push_back({scores[m].data(), static_cast<float>(m) + 0.5f});
      std::vector<double> expected;
      for (size_t i = 0; i < static_cast<size_t>(size); ++i) {
        double sum = 0;
        for (const MemberRow& member : members)
          sum += std::exp(static_cast<double>(member.scores[i]) -
                          static_cast<double>(member.normalizer));
        expected.push_back(std::log(sum / static_cast<double>(count)));
      }
      LogMeanExp(members, size, scores[0].data());  // In place.
      for (size_t i = 0; i < static_cast<size_t>(size); ++i)
        EXPECT_NEAR(scores[0][i], expected[i], 1e-5 * (1 + std::abs(expected[i]))) << i;
    }
  }
}

TEST(LogMeanExp, WhatAllMembersExcludeStaysExcluded) {
  std::vector<float> one = {-INFINITY, 0}, two = {-INFINITY, -INFINITY};
  const MemberRow members[] = {{one.data(), 0}, {two.data(), 0}};
  std::vector<float> mean(2);
  LogMeanExp(members, 2, mean.data());
  EXPECT_EQ(mean[0], -INFINITY);
  EXPECT_NEAR(mean[1], std::log(0.5), 1e-6);
}

}  // namespace
}  // namespace seq2seq
