#include "seq2seq/search/constraints.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ConstraintProgress After(ConstraintProgress progress, const TokenIds& tokens) {
  for (const int32_t token : tokens) progress = progress.After(token);
  return progress;
}

TEST(ConstraintProgress, CountsWhatIsMetAndTellsWhatIsNeeded) {
  const std::vector<TokenIds> constraints = {{7, 8, 9}, {5}};
  const ConstraintProgress start(constraints);
  EXPECT_EQ(start.missing(), 4);
  EXPECT_THAT(start.Needed(), ElementsAre(5, 7));

  const ConstraintProgress begun = After(start, {4, 7, 8});
  EXPECT_EQ(begun.met(), 2);
  EXPECT_EQ(begun.missing(), 2);
  EXPECT_THAT(begun.Needed(), ElementsAre(9));

  const ConstraintProgress done = After(begun, {9, 5, 4});
  EXPECT_EQ(done.met(), 4);
  EXPECT_EQ(done.missing(), 0);
  EXPECT_THAT(done.Needed(), IsEmpty());
}

TEST(ConstraintProgress, WhatIsLeftIsBegunAnew) {
  const std::vector<TokenIds> constraints = {{7, 8, 9}, {5, 6}};
  const ConstraintProgress start(constraints);
  EXPECT_EQ(After(start, {7, 8, 4}).missing(), 5);
  EXPECT_EQ(After(start, {7, 8, 7}).met(), 1);     // The token itself may begin it.
  EXPECT_EQ(After(start, {7, 8, 5}).met(), 1);     // Or another one.
  EXPECT_EQ(After(start, {7, 8, 5, 6}).met(), 2);  // Which then is met for good.
  EXPECT_EQ(After(start, {7, 8, 5, 6, 4}).met(), 2);
}

TEST(ConstraintProgress, TheSameTwiceIsWantedTwice) {
  const std::vector<TokenIds> constraints = {{4}, {4}};
  EXPECT_EQ(After(ConstraintProgress(constraints), {4}).missing(), 1);
  EXPECT_EQ(After(ConstraintProgress(constraints), {4, 4}).missing(), 0);
}

}  // namespace
}  // namespace seq2seq
