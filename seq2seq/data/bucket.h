// Plan of batches: bucketing of pairs by length, and the order of batches.
#ifndef SEQ2SEQ_DATA_BUCKET_H_
#define SEQ2SEQ_DATA_BUCKET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
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

// The length of the pair with this number.
using PairLengths = absl::FunctionRef<PairLength(uint32_t)>;

// Batches of the numbers of pairs, in the order of training. Takes 4 bytes a pair and 8 a batch.
class BatchPlan {
 public:
  BatchPlan() = default;

  int64_t size() const { return static_cast<int64_t>(batches_.size()); }
  absl::Span<const uint32_t> operator[](int64_t batch) const {
    const Range& range = batches_[static_cast<size_t>(batch)];
    return {pairs_.data() + range.begin, range.end - range.begin};
  }

 private:
  friend BatchPlan PlanBatches(std::vector<uint32_t> pairs, PairLengths lengths,
                               const BucketOptions& options, uint64_t seed, int64_t epoch);
  struct Range {
    uint32_t begin = 0;
    uint32_t end = 0;
  };

  std::vector<uint32_t> pairs_;
  std::vector<Range> batches_;
};

// Plans one epoch of `pairs`: shuffles them, sorts pools of them by length, cuts batches within the
// budget and shuffles those. A pair larger than the budget is a batch by itself.
//
// A pure function of its arguments: a resumed run computes the same plan. O(n log n); besides the
// plan, which takes over the memory of `pairs`, the keys of one pool.
BatchPlan PlanBatches(std::vector<uint32_t> pairs, PairLengths lengths,
                      const BucketOptions& options, uint64_t seed, int64_t epoch);

// The share of positions, on both sides, that `plan` fills with padding: of its first 10,000
// batches, which are as good as drawn at random.
double PaddingShare(PairLengths lengths, const BatchPlan& plan);

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_BUCKET_H_
