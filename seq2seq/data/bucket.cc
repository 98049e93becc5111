#include "seq2seq/data/bucket.h"

#include <algorithm>
#include <cstddef>

#include "seq2seq/base/random.h"

namespace seq2seq {
namespace {

// A pair of a pool, by which the pool is sorted.
struct Key {
  uint64_t order;
  PairLength length;
  uint32_t pair;
};

// By target length, then by source length, ascending and descending by turns, so that a batch
// across two target lengths has similar source lengths: a third less padding than always ascending.
uint64_t SortOrder(const PairLength& length) {
  const auto target = static_cast<uint32_t>(length.target);
  const auto source = static_cast<uint32_t>(length.source);
  return uint64_t{target} << 32 | (target % 2 == 0 ? source : ~source);
}

}  // namespace

BatchPlan PlanBatches(std::vector<uint32_t> pairs, PairLengths lengths,
                      const BucketOptions& options, uint64_t seed, int64_t epoch) {
  const uint64_t epoch_seed = DeriveSeed({seed, static_cast<uint64_t>(epoch)});
  Shuffle(pairs, epoch_seed);

  BatchPlan plan;
  const auto pool = static_cast<size_t>(std::max({options.pool, options.size, int64_t{1}}));
  std::vector<Key> keys;
  for (size_t begin = 0; begin < pairs.size(); begin += pool) {
    const size_t end = std::min(begin + pool, pairs.size());
    keys.clear();
    for (size_t i = begin; i < end; ++i) {
      const PairLength length = lengths(pairs[i]);
      keys.push_back({SortOrder(length), length, pairs[i]});
    }
    // Stable: pairs of the same lengths stay shuffled.
    std::stable_sort(keys.begin(), keys.end(),
                     [](const Key& a, const Key& b) { return a.order < b.order; });
    int64_t size = 0;  // Of the batch so far.
    int64_t longest = 0;
    for (size_t i = begin; i < end; ++i) {
      const Key& key = keys[i - begin];
      pairs[i] = key.pair;
      const int64_t length = std::max(key.length.source, key.length.target);
      const bool full = options.unit == BatchUnit::kTokens
                            ? std::max(longest, length) * (size + 1) > options.size
                            : size >= options.size;
      if (size == 0 || full) {
        plan.batches_.push_back({static_cast<uint32_t>(i), static_cast<uint32_t>(i)});
        size = longest = 0;
      }
      ++plan.batches_.back().end;
      ++size;
      longest = std::max(longest, length);
    }
  }
  Shuffle(plan.batches_, Mix(epoch_seed));
  plan.pairs_ = std::move(pairs);
  return plan;
}

double PaddingShare(PairLengths lengths, const BatchPlan& plan) {
  constexpr int64_t kEnough = 10'000;
  int64_t tokens = 0;
  int64_t positions = 0;
  for (int64_t i = 0; i < std::min(plan.size(), kEnough); ++i) {
    PairLength longest;
    for (const uint32_t pair : plan[i]) {
      const PairLength length = lengths(pair);
      longest.source = std::max(longest.source, length.source);
      longest.target = std::max(longest.target, length.target);
      tokens += length.source + length.target;
    }
    positions += static_cast<int64_t>(plan[i].size()) * (longest.source + longest.target);
  }
  return positions == 0 ? 0.0 : 1.0 - static_cast<double>(tokens) / static_cast<double>(positions);
}

}  // namespace seq2seq
