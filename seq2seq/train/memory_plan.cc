#include "seq2seq/train/memory_plan.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/train/pass_memory.h"

namespace seq2seq {
namespace {

// Bytes of LibTorch, the program and the allocators' overhead besides tensors: measured, see
// "Memory" in bench/README.md. CUDA devices hold tensors only.
constexpr double kProgramBytes = 220e6;

// The cost of a batch where no memory was measured: its positions, padding included.
double CountPositions(const BatchShape& shape) {
  return static_cast<double>(shape.rows * (shape.source + shape.target));
}

double Bytes(const Batch& batch) {
  double bytes = 0;
  for (const torch::Tensor& tensor : {batch.source, batch.target_input, batch.target_output,
                                      batch.target_weights, batch.alignment, batch.values}) {
    if (tensor.defined()) bytes += static_cast<double>(tensor.nbytes());
  }
  return bytes;
}

// The largest number of rows of that length in a batch.
int64_t MostRows(const BucketOptions& buckets, const BatchShape& row) {
  switch (buckets.unit) {
    case BatchUnit::kSentences:
      return buckets.size;
    case BatchUnit::kTokens:
      return std::max<int64_t>(1, buckets.size / std::max(row.source, row.target));
  }
  return buckets.size;
}

}  // namespace

MemoryPlan::MemoryPlan() : cost_(CountPositions) {}

absl::StatusOr<MemoryPlan> MemoryPlan::Make(int64_t memory, const Training& training) {
  BatchShape shape = ShapeOf(training.longest);
  const int64_t rows = MostRows(training.buckets, shape);
  double held = training.tensors;
  if (training.device.is_cpu()) {
    held += kProgramBytes;
    held += static_cast<double>(training.batches * rows) * Bytes(training.longest);
  }
  MemoryPlan plan;
  plan.bound_ = static_cast<double>(memory) - held;
  const PassMemory passes =
      PassMemory::Measure(training.pass, training.longest, rows, plan.bound_, training.device);
  plan.cost_ = [passes](const BatchShape& part) { return passes.Estimate(part); };
  const double least = plan.cost_(shape);
  if (least > plan.bound_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "train.memory: expected at least the ", static_cast<int64_t>(std::ceil(held + least)),
        " bytes taken by the program, the model, the optimiser state and one of the longest pairs, "
        "found ",
        memory));
  }
  shape.rows = rows;
  plan.estimate_ = held + std::min(plan.bound_, plan.cost_(shape));
  return plan;
}

Batch LongestRow(const CorpusMix& corpus, const ExampleTransforms& transforms) {
  int64_t longest = 0;
  size_t length = 0;
  for (int64_t i = 0; i < corpus.size(); ++i) {
    const Example example = corpus[i];
    if (example.source.size() + example.target.size() <= length) continue;
    length = example.source.size() + example.target.size();
    longest = i;
  }
  const Example example = corpus[longest];
  const auto examples = absl::MakeConstSpan(&example, 1);
  if (transforms.noise) return Collate(examples, *transforms.noise, {0});
  Batch batch = Collate(examples, transforms.images, std::nullopt);
  if (transforms.aligner) batch.alignment = CollateAlignments(examples, *transforms.aligner);
  return batch;
}

}  // namespace seq2seq
