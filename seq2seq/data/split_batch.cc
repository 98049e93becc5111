#include "seq2seq/data/split_batch.h"

#include <algorithm>

#include <torch/torch.h>

namespace seq2seq {
namespace {

// The sources [begin, end) of a batch.
struct Part {
  int64_t begin = 0;
  int64_t end = 0;
};

// The rows of their targets.
Part TargetsOf(const Batch& batch, const Part& part) {
  return {part.begin * batch.targets_per_source, part.end * batch.targets_per_source};
}

// The first row of part `i` if `rows` rows are split into `count` parts.
int64_t Begin(int64_t rows, int64_t count, int64_t i) { return rows * i / count; }

int64_t Longest(const torch::Tensor& lengths, const Part& part) {
  const auto* length = lengths.data_ptr<int64_t>();
  return *std::max_element(length + part.begin, length + part.end);
}

BatchShape ShapeOf(const Batch& batch, const Part& part) {
  const Part targets = TargetsOf(batch, part);
  return {targets.end - targets.begin, Longest(batch.source_lengths, part),
          Longest(batch.target_lengths, targets)};
}

std::vector<Part> PlanParts(const Batch& batch, const BatchCost& cost, double bound) {
  const int64_t rows = batch.size();
  for (int64_t count = 1;; ++count) {
    std::vector<Part> parts;
    for (int64_t i = 0; i < count; ++i)
      parts.push_back({Begin(rows, count, i), Begin(rows, count, i + 1)});
    const bool fits = std::all_of(parts.begin(), parts.end(), [&](const Part& part) {
      return part.end - part.begin == 1 || cost(ShapeOf(batch, part)) <= bound;
    });
    if (fits || count == rows) return parts;
  }
}

torch::Tensor Narrow(const torch::Tensor& tensor, const Part& rows) {
  return tensor.defined() ? tensor.narrow(0, rows.begin, rows.end - rows.begin) : tensor;
}

Batch Rows(const Batch& batch, const Part& part) {
  const BatchShape shape = ShapeOf(batch, part);
  const Part targets = TargetsOf(batch, part);
  const auto cut = [](const torch::Tensor& rows, int64_t length) {
    return rows.narrow(1, 0, length).contiguous();
  };
  Batch taken;
  taken.source = cut(Narrow(batch.source, part), shape.source);
  taken.source_lengths = Narrow(batch.source_lengths, part);
  taken.target_input = cut(Narrow(batch.target_input, targets), shape.target);
  taken.target_output = cut(Narrow(batch.target_output, targets), shape.target);
  taken.target_lengths = Narrow(batch.target_lengths, targets);
  taken.target_tokens = taken.target_lengths.sum().item<int64_t>();
  taken.targets_per_source = batch.targets_per_source;
  taken.target_weights = Narrow(batch.target_weights, targets);
  if (batch.alignment.defined()) {
    taken.alignment =
        cut(Narrow(batch.alignment, targets), shape.target).narrow(2, 0, shape.source).contiguous();
  }
  taken.values = Narrow(batch.values, part);
  return taken;
}

}  // namespace

BatchShape ShapeOf(const Batch& batch) { return ShapeOf(batch, {0, batch.size()}); }

std::vector<Batch> SplitBatch(const Batch& batch, const BatchCost& cost, double bound) {
  const std::vector<Part> parts = PlanParts(batch, cost, bound);
  if (parts.size() == 1) return {batch};
  std::vector<Batch> split;
  for (const Part& part : parts) split.push_back(Rows(batch, part));
  return split;
}

}  // namespace seq2seq
