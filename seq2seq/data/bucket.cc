#include "seq2seq/data/bucket.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "seq2seq/base/random.h"

namespace seq2seq {
namespace {

// Cuts pairs in the order of `indices` into batches within the budget.
void CutBatches(absl::Span<const int64_t> indices, absl::Span<const PairLength> lengths,
                const BucketOptions& options, BatchPlan& plan) {
  std::vector<int64_t> batch;
  int64_t longest = 0;
  for (const int64_t index : indices) {
    const int64_t length = std::max(lengths[index].source, lengths[index].target);
    const int64_t padded = std::max(longest, length) * static_cast<int64_t>(batch.size() + 1);
    const bool full = options.unit == BatchUnit::kTokens
                          ? padded > options.size
                          : static_cast<int64_t>(batch.size()) >= options.size;
    if (full && !batch.empty()) {
      plan.push_back(std::move(batch));
      batch.clear();
      longest = 0;
    }
    batch.push_back(index);
    longest = std::max(longest, length);
  }
  if (!batch.empty()) plan.push_back(std::move(batch));
}

}  // namespace

BatchPlan PlanBatches(absl::Span<const PairLength> lengths, const BucketOptions& options,
                      uint64_t seed, int64_t epoch, int64_t rank, int64_t world_size) {
  const uint64_t epoch_seed = DeriveSeed({seed, static_cast<uint64_t>(epoch)});
  std::vector<int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  Shuffle(order, epoch_seed);

  BatchPlan plan;
  const size_t pool = static_cast<size_t>(std::max({options.pool, options.size, int64_t{1}}));
  for (size_t begin = 0; begin < order.size(); begin += pool) {
    const auto first = order.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last =
        order.begin() + static_cast<std::ptrdiff_t>(std::min(begin + pool, order.size()));
    // By target length, then by source length, ascending and descending by turns, so that a batch
    // across two target lengths has similar source lengths: a third less padding than always
    // ascending. Stable: pairs of the same lengths stay shuffled.
    std::stable_sort(first, last, [&](int64_t a, int64_t b) {
      if (lengths[a].target != lengths[b].target) return lengths[a].target < lengths[b].target;
      if (lengths[a].target % 2 != 0) std::swap(a, b);
      return lengths[a].source < lengths[b].source;
    });
    CutBatches({&*first, static_cast<size_t>(last - first)}, lengths, options, plan);
  }
  Shuffle(plan, Mix(epoch_seed));

  if (world_size == 1) return plan;
  const auto ranks = static_cast<size_t>(world_size);
  const size_t complete = plan.size() / ranks * ranks;
  BatchPlan share;
  for (size_t i = static_cast<size_t>(rank); i < complete; i += ranks)
    share.push_back(std::move(plan[i]));
  return share;
}

double PaddingShare(absl::Span<const PairLength> lengths, const BatchPlan& plan) {
  int64_t tokens = 0;
  int64_t positions = 0;
  for (const std::vector<int64_t>& batch : plan) {
    PairLength longest;
    for (const int64_t index : batch) {
      longest.source = std::max(longest.source, lengths[index].source);
      longest.target = std::max(longest.target, lengths[index].target);
      tokens += lengths[index].source + lengths[index].target;
    }
    positions += static_cast<int64_t>(batch.size()) * (longest.source + longest.target);
  }
  return positions == 0 ? 0.0 : 1.0 - static_cast<double>(tokens) / static_cast<double>(positions);
}

}  // namespace seq2seq
