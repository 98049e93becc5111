#include "seq2seq/data/bucket.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/base/random.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// Like translations: sources of 1 to 60 subwords, most of them short, and targets of about that
// length.
std::vector<PairLength> RandomLengths(int64_t count) {
  std::vector<PairLength> lengths;
  uint64_t seed = 1;
  const auto below = [&](uint64_t limit) {
    return static_cast<int32_t>((seed = Mix(seed)) % limit);
  };
  for (int64_t i = 0; i < count; ++i) {
    const int32_t source = 1 + (below(30) + below(30) + below(30)) * below(3) / 3 + below(20) / 2;
    lengths.push_back({source, std::max(1, source + below(9) - 4)});
  }
  return lengths;
}

using Batches = std::vector<std::vector<int64_t>>;

BatchPlan PlanOf(const std::vector<PairLength>& lengths, const BucketOptions& options,
                 uint64_t seed, int64_t epoch) {
  std::vector<uint32_t> pairs(lengths.size());
  std::iota(pairs.begin(), pairs.end(), 0);
  return PlanBatches(
      pairs, [&](uint32_t pair) { return lengths[pair]; }, options, seed, epoch);
}

Batches Plan(const std::vector<PairLength>& lengths, const BucketOptions& options, uint64_t seed,
             int64_t epoch) {
  const BatchPlan plan = PlanOf(lengths, options, seed, epoch);
  Batches batches;
  for (int64_t i = 0; i < plan.size(); ++i) batches.emplace_back(plan[i].begin(), plan[i].end());
  return batches;
}

double Padding(const std::vector<PairLength>& lengths, const BucketOptions& options) {
  return PaddingShare([&](uint32_t pair) { return lengths[pair]; }, PlanOf(lengths, options, 1, 0));
}

std::vector<int64_t> Sorted(const Batches& plan) {
  std::vector<int64_t> indices;
  for (const auto& batch : plan) indices.insert(indices.end(), batch.begin(), batch.end());
  std::sort(indices.begin(), indices.end());
  return indices;
}

// Padded positions of the longer side.
int64_t Positions(const std::vector<PairLength>& lengths, const std::vector<int64_t>& batch) {
  int64_t longest = 0;
  for (const int64_t i : batch) {
    longest = std::max<int64_t>({longest, lengths[i].source, lengths[i].target});
  }
  return longest * static_cast<int64_t>(batch.size());
}

TEST(BatchPlan, HoldsEveryPairOnceForAnySize) {
  const std::vector<PairLength> lengths = RandomLengths(1000);
  std::vector<int64_t> all(lengths.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
  for (const BatchUnit unit : {BatchUnit::kSentences, BatchUnit::kTokens}) {
    for (const int64_t size : {1, 7, 100, 5000}) {
      for (const int64_t pool : {1, 300, 100'000}) {
        const Batches plan = Plan(lengths, {size, unit, pool}, 1, 2);
        for (const auto& batch : plan) EXPECT_FALSE(batch.empty());
        EXPECT_EQ(Sorted(plan), all) << size << " " << pool;
      }
    }
  }
}

TEST(BatchPlan, SentenceBudgetFillsAllBatchesButOneOfEachPool) {
  const Batches plan = Plan(RandomLengths(1000), {64, BatchUnit::kSentences, 320}, 1, 0);
  EXPECT_THAT(plan, SizeIs(16));  // Pools of 320, 320, 320 and 40.
  int64_t smaller = 0;
  for (const auto& batch : plan) {
    EXPECT_LE(batch.size(), 64u);
    smaller += batch.size() < 64 ? 1 : 0;
  }
  EXPECT_EQ(smaller, 1);
}

TEST(BatchPlan, TokenBudgetIsKeptAndUsed) {
  const std::vector<PairLength> lengths = RandomLengths(10'000);
  const Batches plan = Plan(lengths, {2000, BatchUnit::kTokens}, 1, 0);
  int64_t positions = 0;
  for (const auto& batch : plan) {
    EXPECT_LE(Positions(lengths, batch), 2000);
    positions += Positions(lengths, batch);
  }
  EXPECT_GT(positions, static_cast<int64_t>(plan.size()) * 1800);
}

TEST(BatchPlan, PairOverTheBudgetIsAlone) {
  const std::vector<PairLength> lengths = {{3, 3}, {2, 50}, {3, 3}, {90, 2}};
  EXPECT_THAT(Plan(lengths, {10, BatchUnit::kTokens}, 1, 0),
              UnorderedElementsAre(UnorderedElementsAre(0, 2), ElementsAre(1), ElementsAre(3)));
}

TEST(BatchPlan, IsAPureFunction) {
  const std::vector<PairLength> lengths = RandomLengths(1000);
  const Batches plan = Plan(lengths, {}, 3, 4);
  Plan(lengths, {}, 9, 9);
  EXPECT_EQ(Plan(lengths, {}, 3, 4), plan);
}

TEST(BatchPlan, DiffersAcrossEpochsAndSeeds) {
  const std::vector<PairLength> lengths = RandomLengths(1000);
  const Batches plan = Plan(lengths, {}, 1, 2);
  EXPECT_NE(Plan(lengths, {}, 1, 3), plan);
  EXPECT_NE(Plan(lengths, {}, 2, 2), plan);
  EXPECT_NE(Plan(lengths, {}, 2, 1), plan);
}

TEST(BatchPlan, MixesPairsOfTheSameLengthAnewInEachEpoch) {
  const std::vector<PairLength> lengths(1000, PairLength{5, 5});
  auto first = Plan(lengths, {}, 1, 0);
  auto second = Plan(lengths, {}, 1, 1);
  for (Batches* plan : {&first, &second}) {
    for (auto& batch : *plan) std::sort(batch.begin(), batch.end());
    std::sort(plan->begin(), plan->end());
  }
  EXPECT_NE(first, second);
}

TEST(BatchPlan, DoesNotGoFromShortToLong) {
  const std::vector<PairLength> lengths = RandomLengths(10'000);
  const Batches plan = Plan(lengths, {}, 1, 0);
  int64_t rises = 0;
  for (size_t i = 1; i < plan.size(); ++i) {
    rises += lengths[plan[i - 1][0]].target < lengths[plan[i][0]].target ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(rises) / static_cast<double>(plan.size()), 0.5, 0.15);
}

TEST(BatchPlan, PadsLessThanATwentiethOfRealisticLengths) {
  const std::vector<PairLength> lengths = RandomLengths(30'000);
  EXPECT_LT(Padding(lengths, {64, BatchUnit::kSentences}), 0.05);
  EXPECT_LT(Padding(lengths, {4000, BatchUnit::kTokens}), 0.05);
}

TEST(BatchPlan, OfNoPairsIsEmpty) { EXPECT_THAT(Plan({}, {}, 1, 0), IsEmpty()); }

TEST(BatchPlan, OfSizeZeroTakesPairsOneByOne) {
  const std::vector<PairLength> lengths = RandomLengths(3);
  for (const BatchUnit unit : {BatchUnit::kSentences, BatchUnit::kTokens}) {
    EXPECT_THAT(Plan(lengths, {0, unit, 0}, 1, 0),
                UnorderedElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2)));
  }
}

TEST(PaddingShare, CountsBothSides) {
  const std::vector<PairLength> lengths = {{1, 4}, {3, 2}, {5, 5}};
  // 3 + 3 source and 4 + 4 target positions for 4 + 6 tokens, and 10 for 10.
  EXPECT_DOUBLE_EQ(Padding(lengths, {2, BatchUnit::kSentences}), 4.0 / 24);
  EXPECT_EQ(Padding(lengths, {1, BatchUnit::kSentences}), 0.0);
  EXPECT_EQ(Padding({}, {}), 0.0);
}

}  // namespace
}  // namespace seq2seq
