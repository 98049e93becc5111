#include "seq2seq/search/batch_plan.h"

#include <vector>

#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using Batches = std::vector<std::vector<size_t>>;

constexpr int64_t kMany = 1'000'000;

std::vector<LineShape> Lines(const std::vector<int64_t>& tokens) {
  std::vector<LineShape> lines;
  for (const int64_t count : tokens) lines.push_back({.tokens = count});
  return lines;
}

double Huge(const SearchShape&) { return 1e18; }

TEST(PlanSearchBatches, ShortestFirstAndEqualOnesInTheirOrder) {
  const BatchBounds bounds = {.sentences = 2, .tokens = kMany};
  EXPECT_EQ(PlanSearchBatches(Lines({5, 1, 3, 1, 2}), bounds, Huge),
            (Batches{{1, 3}, {4, 2}, {0}}));
  EXPECT_EQ(PlanSearchBatches({}, bounds, Huge), Batches());
}

TEST(PlanSearchBatches, TokensAreCountedWithEndsAndPadding) {
  const std::vector<LineShape> lines = Lines({1, 3, 5, 3});
  const auto plan = [&](int64_t tokens) {
    return PlanSearchBatches(lines, {.sentences = kMany, .tokens = tokens}, Huge);
  };
  EXPECT_EQ(plan(24), (Batches{{0, 1, 3, 2}}));  // Four sentences of 5 subwords and an end.
  EXPECT_EQ(plan(23), (Batches{{0, 1, 3}, {2}}));
  EXPECT_EQ(plan(12), (Batches{{0, 1, 3}, {2}}));
  EXPECT_EQ(plan(11), (Batches{{0, 1}, {3}, {2}}));
}

TEST(PlanSearchBatches, BytesAreThoseOfTheWholeBatch) {
  const std::vector<LineShape> lines = {{1, 4}, {2, 9}, {3, 2}, {14, 2}};
  const auto plan = [&](double bytes) {
    const BatchBounds bounds = {
        .sentences = kMany, .tokens = kMany, .hypotheses = 3, .bytes = bytes};
    return PlanSearchBatches(lines, bounds, [](const SearchShape& shape) {
      EXPECT_EQ(shape.hypotheses, 3);
      return static_cast<double>(shape.sentences * (shape.source + shape.steps));
    });
  };
  EXPECT_EQ(plan(39), (Batches{{0, 1, 2}, {3}}));  // Three sentences of 3 + 1 and 9.
  // The second batch does not count the time steps of the first.
  EXPECT_EQ(plan(38), (Batches{{0, 1}, {2, 3}}));
  EXPECT_EQ(plan(0), (Batches{{0, 1, 2, 3}}));  // No bound.
}

TEST(PlanSearchBatches, OneThatIsTooLargeStandsAlone) {
  const BatchBounds of_tokens = {.sentences = kMany, .tokens = 10};
  EXPECT_EQ(PlanSearchBatches(Lines({60, 2, 50, 1}), of_tokens, Huge), (Batches{{3, 1}, {2}, {0}}));
  const BatchBounds of_bytes = {.sentences = kMany, .tokens = kMany, .bytes = 10};
  EXPECT_EQ(PlanSearchBatches(Lines({3, 2}), of_bytes, Huge), (Batches{{1}, {0}}));
}

}  // namespace
}  // namespace seq2seq
