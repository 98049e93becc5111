// Plan of batches: bucketing of pairs by length, and the order of batches.
#ifndef SEQ2SEQ_DATA_BUCKET_H_
#define SEQ2SEQ_DATA_BUCKET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace seq2seq {

enum class BatchUnit { kSentences, kTokens };

inline std::vector<std::string> EnumTexts(BatchUnit) { return {"sentences", "tokens"}; }

struct BucketOptions {
  int64_t size = 64;
  BatchUnit unit = BatchUnit::kSentences;
  int64_t pool = 100'000;

  template <typename V>
  void Visit(V&& visit) {
    visit("size", size,
          "Size of a batch, in `unit`. Larger is faster per token and needs more memory.");
    visit("unit", unit,
          "Unit of size: sentences, or tokens, which are padded positions of the longer side and "
          "keep memory and time per update steadier.");
    visit("pool", pool,
          "Number of pairs sorted by length together. Larger pads less, smaller shuffles better.");
  }
};

// The lengths of one pair, in ids.
struct PairLength {
  int32_t source = 0;
  int32_t target = 0;
};

// Batches of indices into the planned pairs.
using BatchPlan = std::vector<std::vector<int64_t>>;

// Plans one epoch: shuffles the pairs, sorts pools of them by length, cuts batches within the
// budget and shuffles those. A pair larger than the budget is a batch by itself.
//
// Of world_size ranks, each gets every world_size-th batch, and all get equal numbers of them, as
// synchronous training needs: an incomplete last round, of fewer than world_size batches, is
// dropped. The order decides which batches these are, others in each epoch. One rank gets every
// pair once.
//
// A pure function of its arguments: a resumed run computes the same plan. O(n log n), 16 bytes a
// pair.
BatchPlan PlanBatches(absl::Span<const PairLength> lengths, const BucketOptions& options,
                      uint64_t seed, int64_t epoch, int64_t rank = 0, int64_t world_size = 1);

// The share of positions, on both sides, that `plan` fills with padding.
double PaddingShare(absl::Span<const PairLength> lengths, const BatchPlan& plan);

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_BUCKET_H_
