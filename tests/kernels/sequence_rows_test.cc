#include "seq2seq/kernels/sequence_rows.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace seq2seq {
namespace {

TEST(SequenceRows, NumbersTokensSequenceAfterSequence) {
  const SequenceRows rows({2, 3, 0, 1});
  EXPECT_EQ(rows.batch(), 4);
  EXPECT_EQ(rows.tokens(), 6);
  EXPECT_EQ(rows.rows(), 16);
  EXPECT_EQ(rows.length(2), 0);
  std::vector<std::vector<int64_t>> tokens;
  rows.ForEachToken([&](int64_t row, int64_t sequence, int64_t step) {
    tokens.push_back({row, sequence, step});
  });
  const std::vector<std::vector<int64_t>> expected = {{0, 0, 0}, {1, 0, 1}, {2, 1, 0},
                                                      {3, 1, 1}, {4, 1, 2}, {5, 3, 0}};
  EXPECT_EQ(tokens, expected);
  const Buffer buffer(16, 2);
  EXPECT_EQ(rows.Of(buffer.view(), 1).data, buffer.view().row(2));
  EXPECT_EQ(rows.Of(buffer.view(), 1).rows, 3);
  EXPECT_EQ(rows.Tail(buffer.view()).data, buffer.view().row(6));
  EXPECT_EQ(rows.Tail(buffer.view()).rows, 10);
}

TEST(SequenceRows, OfNothing) {
  const SequenceRows rows({});
  EXPECT_EQ(rows.batch(), 0);
  EXPECT_EQ(rows.rows(), 0);
}

}  // namespace
}  // namespace seq2seq
