#include "seq2seq/data/bucket.h"

#include <algorithm>
#include <cstdint>
#include <set>
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

std::vector<int64_t> Sorted(const BatchPlan& plan) {
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
        const BatchPlan plan = PlanBatches(lengths, {size, unit, pool}, 1, 2);
        for (const auto& batch : plan) EXPECT_FALSE(batch.empty());
        EXPECT_EQ(Sorted(plan), all) << size << " " << pool;
      }
    }
  }
}

TEST(BatchPlan, RanksShareAllCompleteRoundsInEqualNumbers) {
  const std::vector<PairLength> lengths = RandomLengths(1000);
  const BatchPlan all = PlanBatches(lengths, {}, 1, 0);
  for (const int64_t world_size : {1, 2, 3, 5, 16, 17}) {
    const size_t rounds = all.size() / static_cast<size_t>(world_size);
    for (int64_t rank = 0; rank < world_size; ++rank) {
      const BatchPlan mine = PlanBatches(lengths, {}, 1, 0, rank, world_size);
      ASSERT_EQ(mine.size(), rounds) << rank << " of " << world_size;
      for (size_t i = 0; i < rounds; ++i)
        EXPECT_EQ(mine[i], all[i * static_cast<size_t>(world_size) + static_cast<size_t>(rank)]);
    }
  }
}

TEST(BatchPlan, IncompleteRoundThatRanksLeaveOutVariesByEpoch) {
  const std::vector<PairLength> lengths = RandomLengths(10);
  std::set<int64_t> dropped;
  for (int64_t epoch = 0; epoch < 100; ++epoch) {
    std::set<int64_t> left;
    for (int64_t i = 0; i < 10; ++i) left.insert(i);
    for (const int64_t rank : {0, 1, 2}) {
      const BatchPlan plan = PlanBatches(lengths, {1}, 1, epoch, rank, 3);
      EXPECT_THAT(plan, SizeIs(3));
      for (const int64_t pair : Sorted(plan)) EXPECT_EQ(left.erase(pair), 1u);
    }
    EXPECT_THAT(left, SizeIs(1));
    dropped.merge(left);
  }
  EXPECT_THAT(dropped, SizeIs(10));
}

TEST(BatchPlan, MoreRanksThanBatchesGetNone) {
  const std::vector<PairLength> lengths = RandomLengths(3);
  EXPECT_THAT(PlanBatches(lengths, {1}, 1, 0, 0, 4), IsEmpty());
}

TEST(BatchPlan, SentenceBudgetFillsAllBatchesButOneOfEachPool) {
  const BatchPlan plan = PlanBatches(RandomLengths(1000), {64, BatchUnit::kSentences, 320}, 1, 0);
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
  const BatchPlan plan = PlanBatches(lengths, {2000, BatchUnit::kTokens}, 1, 0);
  int64_t positions = 0;
  for (const auto& batch : plan) {
    EXPECT_LE(Positions(lengths, batch), 2000);
    positions += Positions(lengths, batch);
  }
  EXPECT_GT(positions, static_cast<int64_t>(plan.size()) * 1800);
}

TEST(BatchPlan, PairOverTheBudgetIsAlone) {
  const std::vector<PairLength> lengths = {{3, 3}, {2, 50}, {3, 3}, {90, 2}};
  EXPECT_THAT(PlanBatches(lengths, {10, BatchUnit::kTokens}, 1, 0),
              UnorderedElementsAre(UnorderedElementsAre(0, 2), ElementsAre(1), ElementsAre(3)));
}

TEST(BatchPlan, IsAPureFunction) {
  const std::vector<PairLength> lengths = RandomLengths(1000);
  const BatchPlan plan = PlanBatches(lengths, {}, 3, 4, 1, 2);
  PlanBatches(lengths, {}, 9, 9);
  EXPECT_EQ(PlanBatches(lengths, {}, 3, 4, 1, 2), plan);
}

TEST(BatchPlan, DiffersAcrossEpochsAndSeeds) {
  const std::vector<PairLength> lengths = RandomLengths(1000);
  const BatchPlan plan = PlanBatches(lengths, {}, 1, 2);
  EXPECT_NE(PlanBatches(lengths, {}, 1, 3), plan);
  EXPECT_NE(PlanBatches(lengths, {}, 2, 2), plan);
  EXPECT_NE(PlanBatches(lengths, {}, 2, 1), plan);
}

TEST(BatchPlan, MixesPairsOfTheSameLengthAnewInEachEpoch) {
  const std::vector<PairLength> lengths(1000, PairLength{5, 5});
  auto first = PlanBatches(lengths, {}, 1, 0);
  auto second = PlanBatches(lengths, {}, 1, 1);
  for (BatchPlan* plan : {&first, &second}) {
    for (auto& batch : *plan) std::sort(batch.begin(), batch.end());
    std::sort(plan->begin(), plan->end());
  }
  EXPECT_NE(first, second);
}

TEST(BatchPlan, DoesNotGoFromShortToLong) {
  const std::vector<PairLength> lengths = RandomLengths(10'000);
  const BatchPlan plan = PlanBatches(lengths, {}, 1, 0);
  int64_t rises = 0;
  for (size_t i = 1; i < plan.size(); ++i) {
    rises += lengths[plan[i - 1][0]].target < lengths[plan[i][0]].target ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(rises) / static_cast<double>(plan.size()), 0.5, 0.15);
}

TEST(BatchPlan, PadsLessThanATwentiethOfRealisticLengths) {
  const std::vector<PairLength> lengths = RandomLengths(30'000);
  EXPECT_LT(PaddingShare(lengths, PlanBatches(lengths, {64, BatchUnit::kSentences}, 1, 0)), 0.05);
  EXPECT_LT(PaddingShare(lengths, PlanBatches(lengths, {4000, BatchUnit::kTokens}, 1, 0)), 0.05);
}

TEST(BatchPlan, OfNoPairsIsEmpty) { EXPECT_THAT(PlanBatches({}, {}, 1, 0), IsEmpty()); }

TEST(BatchPlan, OfSizeZeroTakesPairsOneByOne) {
  const std::vector<PairLength> lengths = RandomLengths(3);
  for (const BatchUnit unit : {BatchUnit::kSentences, BatchUnit::kTokens}) {
    EXPECT_THAT(PlanBatches(lengths, {0, unit, 0}, 1, 0),
                UnorderedElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2)));
  }
}

TEST(PaddingShare, CountsBothSides) {
  const std::vector<PairLength> lengths = {{1, 4}, {3, 2}, {5, 5}};
  // 3 + 3 source and 4 + 4 target positions for 4 + 6 tokens, and 10 for 10.
  EXPECT_DOUBLE_EQ(PaddingShare(lengths, {{0, 1}, {2}}), 4.0 / 24);
  EXPECT_EQ(PaddingShare(lengths, {{0}, {1}, {2}}), 0.0);
  EXPECT_EQ(PaddingShare(lengths, {}), 0.0);
}

}  // namespace
}  // namespace seq2seq
