#include "seq2seq/kernels/packed_sequence.h"

#include <cstdint>
#include <tuple>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;

using Token = std::tuple<int64_t, int64_t>;  // Sequence, time step.

std::vector<Token> TokensOf(const PackedSequence& steps) {
  std::vector<Token> tokens;
  steps.ForEachToken([&](int64_t row, int64_t sequence, int64_t step) {
    EXPECT_EQ(row, static_cast<int64_t>(tokens.size()));
    tokens.emplace_back(sequence, step);
  });
  return tokens;
}

TEST(PackedSequence, GoStepByStepTheLongestSequenceFirst) {
  const PackedSequence steps({2, 3, 1}, 1);
  EXPECT_EQ(steps.steps(), 3);
  EXPECT_EQ(steps.tokens(), 6);
  EXPECT_EQ(steps.rows(), 16);
  EXPECT_THAT(TokensOf(steps), ElementsAre(Token(1, 0), Token(0, 0), Token(2, 0), Token(1, 1),
                                           Token(0, 1), Token(1, 2)));
}

TEST(PackedSequence, GroupsShareTheSequencesAndFollowEachOtherInEachStep) {
  const PackedSequence steps({1, 4, 2, 3}, 2);  // Groups: lengths 4, 2 and 3, 1.
  EXPECT_EQ(steps.groups(), 2);
  EXPECT_THAT(TokensOf(steps),
              ElementsAre(Token(1, 0), Token(2, 0), Token(3, 0), Token(0, 0), Token(1, 1),
                          Token(2, 1), Token(3, 1), Token(1, 2), Token(3, 2), Token(1, 3)));
  EXPECT_EQ(steps.begin(1, 1), 6);
  EXPECT_EQ(steps.count(2, 0), 1);
  EXPECT_EQ(steps.count(3, 1), 0);
  EXPECT_EQ(steps.size(1), 2);
  EXPECT_EQ(steps.sequence(1, 1), 0);
  EXPECT_EQ(steps.length(0, 0), 4);
}

TEST(PackedSequence, MoreGroupsThanSequencesLeaveSomeEmpty) {
  const PackedSequence steps({2}, 3);
  EXPECT_EQ(steps.tokens(), 2);
  EXPECT_EQ(steps.count(0, 0), 1);
  EXPECT_EQ(steps.count(0, 2), 0);
}

TEST(PackedSequence, RowsAreARoundNumber) {
  for (const int64_t length : {1, 15, 16, 17, 40}) {
    const PackedSequence steps({length}, 1);
    EXPECT_GE(steps.rows(), length);
    EXPECT_LT(steps.rows(), length + 16);
    EXPECT_EQ(steps.rows() % 16, 0);
  }
}

}  // namespace
}  // namespace seq2seq
