// Splitting of batches so that training stays within a memory bound.
#ifndef SEQ2SEQ_TRAIN_MEMORY_PLAN_H_
#define SEQ2SEQ_TRAIN_MEMORY_PLAN_H_

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include <c10/core/Device.h>

#include "seq2seq/data/bucket.h"
#include "seq2seq/data/corpus_mix.h"
#include "seq2seq/data/loader.h"
#include "seq2seq/data/split_batch.h"

namespace seq2seq {

// Splits batches into parts, which run forward and backward one after the other. A value type.
class MemoryPlan {
 public:
  // Without a bound: batches stay whole until memory runs out.
  MemoryPlan();

  // The inputs of the estimate.
  struct Training {
    const BucketOptions& buckets;
    Batch longest;        // One row with the longest pair; see LongestRow.
    int64_t batches = 0;  // Batches held ready, besides their parts.
    double tensors = 0;   // Bytes held between updates: weights, optimiser state.
    absl::FunctionRef<void(const Batch&)> pass;  // As in PassMemory::Measure.
    c10::Device device;
  };

  // Within `memory` bytes of the device. Measures forward and backward passes. InvalidArgument,
  // naming train.memory, if not even one row fits.
  static absl::StatusOr<MemoryPlan> Make(int64_t memory, const Training& training);

  // The parts of `batch`: a function of the batch and the plan.
  std::vector<Batch> Split(const Batch& batch) const { return SplitBatch(batch, cost_, bound_); }

  // Halves the size of parts, after `failed`, a part of two rows or more, ran out of memory.
  void Halve(const BatchShape& failed) { bound_ = cost_(failed) / 2; }

  // Estimated bytes of training with the largest batch, or its parts; 0 without a bound.
  double estimate() const { return estimate_; }

 private:
  BatchCost cost_;
  double bound_ = std::numeric_limits<double>::infinity();
  double estimate_ = 0;
};

// A batch of one row: the pair with the greatest total length of both sides, with its image or its
// noise, and the subwords of the corpus.
Batch LongestRow(const CorpusMix& corpus, const ExampleTransforms& transforms);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_MEMORY_PLAN_H_
