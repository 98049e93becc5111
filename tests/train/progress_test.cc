#include "seq2seq/train/progress.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ProgressSums, MeansArePerTokenPerUpdateAndPerSecond) {
  ProgressSums sums;
  sums.nll = 20;
  sums.correct = 4;
  sums.tokens = 10;
  sums.updates = 2;
  sums.seconds = 5;
  sums.waiting = 1;
  sums.gradient_norm = 3;
  const Progress progress = sums.Means();
  EXPECT_DOUBLE_EQ(progress.loss, 2);
  EXPECT_DOUBLE_EQ(progress.perplexity, std::exp(2));
  EXPECT_DOUBLE_EQ(progress.token_accuracy, 0.4);
  EXPECT_DOUBLE_EQ(progress.gradient_norm, 1.5);
  EXPECT_DOUBLE_EQ(progress.tokens_per_second, 2);
  EXPECT_DOUBLE_EQ(progress.waiting, 0.2);
}

TEST(LogLine, NanIsNull) {
  ProgressSums sums;  // Of skipped updates only.
  sums.seconds = 5;
  const Progress progress = sums.Means();
  EXPECT_TRUE(std::isnan(progress.loss));
  EXPECT_THAT(LogLine(progress, {}),
              AllOf(HasSubstr("\"loss\":null"), HasSubstr("\"gradient_norm\":null"),
                    HasSubstr("\"waiting\":0.0"), Not(HasSubstr("norms"))));
}

TEST(LogLine, HoldsTheNormsOfModules) {
  ModuleReport cell, linear;
  cell.gradient = 1.5;
  cell.weight = 2;
  cell.saturated = 0.25;
  linear.gradient = 3;
  EXPECT_THAT(LogLine(Progress(), {{"cell", cell}, {"linear", linear}}),
              HasSubstr("\"norms\":{\"cell\":{\"gradient\":1.5,\"weight\":2.0,\"saturated\":0.25},"
                        "\"linear\":{\"gradient\":3.0,\"weight\":0.0}}"));
}

}  // namespace
}  // namespace seq2seq
