#include "seq2seq/base/random.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;

// The first outputs of the reference implementation of SplitMix64.
TEST(Random, MixIsSplitMix64) {
  EXPECT_EQ(Mix(0), 0xe220a8397b1dcdafu);
  EXPECT_EQ(Mix(1234567), 6457827717110365317u);
  EXPECT_EQ(Mix(1234567 + 0x9e3779b97f4a7c15), 3203168211198807973u);
}

TEST(Random, DeriveSeedDependsOnEveryPartAndTheirOrder) {
  const std::set<uint64_t> seeds = {DeriveSeed({}),     DeriveSeed({0}),      DeriveSeed({0, 0}),
                                    DeriveSeed({1}),    DeriveSeed({1, 2}),   DeriveSeed({2, 1}),
                                    DeriveSeed({1, 3}), DeriveSeed({0, 1, 2})};
  EXPECT_EQ(seeds.size(), 8u);
}

// A resumed run, on another machine too, depends on these orders.
TEST(Random, ShuffleGivesTheSameOrderEverywhere) {
  std::vector<int> items = {0, 1, 2, 3, 4, 5, 6, 7};
  Shuffle(items, 1);
  EXPECT_THAT(items, ElementsAre(2, 6, 5, 7, 4, 3, 0, 1));
}

TEST(Random, ShuffleKeepsEveryItemOnce) {
  for (const size_t size : {0, 1, 2, 3, 1000}) {
    std::vector<size_t> items(size);
    std::iota(items.begin(), items.end(), 0);
    std::vector<size_t> shuffled = items;
    Shuffle(shuffled, 7);
    EXPECT_THAT(shuffled, ::testing::UnorderedElementsAreArray(items));
  }
}

TEST(Random, ShuffleDiffersAcrossSeeds) {
  std::set<std::vector<int>> orders;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    std::vector<int> items(20);
    std::iota(items.begin(), items.end(), 0);
    Shuffle(items, seed);
    orders.insert(items);
  }
  EXPECT_EQ(orders.size(), 100u);
}

TEST(Random, ShufflePutsEveryItemInEveryPlaceAlike) {
  int counts[4][4] = {};
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    std::vector<int> items = {0, 1, 2, 3};
    Shuffle(items, seed);
    for (int place = 0; place < 4; ++place) ++counts[items[place]][place];
  }
  for (const auto& positions : counts) {
    for (const int count : positions) EXPECT_NEAR(count, 1000, 150);
  }
}

}  // namespace
}  // namespace seq2seq
