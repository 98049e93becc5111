#include "seq2seq/train/pass_memory.h"

#include <algorithm>

#include <torch/torch.h>

#include "seq2seq/train/memory_meter.h"

namespace seq2seq {
namespace {

// An estimate from few rows is good enough if it is below this share of the bound.
constexpr double kMuchLess = 0.5;

Batch Repeat(const Batch& row, int64_t rows) {
  const auto repeat = [&](const torch::Tensor& tensor) {
    if (!tensor.defined()) return tensor;
    std::vector<int64_t> times(static_cast<size_t>(tensor.dim()), 1);
    times[0] = rows;
    return tensor.repeat(times);
  };
  Batch batch;
  batch.source = repeat(row.source);
  batch.source_lengths = repeat(row.source_lengths);
  batch.target_input = repeat(row.target_input);
  batch.target_output = repeat(row.target_output);
  batch.target_lengths = repeat(row.target_lengths);
  batch.target_tokens = rows * row.target_tokens;
  batch.values = repeat(row.values);
  return batch;
}

}  // namespace

PassMemory PassMemory::Measure(absl::FunctionRef<void(const Batch&)> pass, const Batch& row,
                               int64_t rows, double bound, c10::Device device) {
  PassMemory memory;
  if (!row.values.defined()) {
    const BatchShape shape = ShapeOf(row);
    memory.length_ = static_cast<double>(shape.source + shape.target);
  }
  // The first pass also makes the allocations that are made only once.
  pass(row.To(device));
  for (int64_t count = 1;; count = std::min(2 * count, rows)) {
    const Batch batch = Repeat(row, count).To(device);
    const MemoryMeter meter(device);
    pass(batch);
    const auto bytes = static_cast<double>(meter.peak());
    const double before = memory.points_.empty() ? 0 : memory.points_.back().bytes;
    memory.points_.push_back({static_cast<double>(count), std::max(bytes, before)});
    if (count == rows) return memory;
    const bool measured_twice = memory.points_.size() > 1;
    const double all = memory.EstimateRows(static_cast<double>(rows));
    const double next = memory.EstimateRows(static_cast<double>(std::min(2 * count, rows)));
    if (measured_twice && (all < kMuchLess * bound || next > bound)) return memory;
  }
}

double PassMemory::EstimateRows(double rows) const {
  if (points_.empty()) return 0;
  if (points_.size() == 1) return points_[0].bytes * std::max(1.0, rows / points_[0].rows);
  // Interpolates between two neighbouring points, or extrapolates from the last two.
  auto end =
      std::upper_bound(points_.begin() + 1, points_.end() - 1, rows,
                       [](double sought, const Point& point) { return sought < point.rows; });
  const Point& left = *(end - 1);
  const double slope = (end->bytes - left.bytes) / (end->rows - left.rows);
  return std::max(points_[0].bytes, left.bytes + slope * (rows - left.rows));
}

double PassMemory::Estimate(const BatchShape& shape) const {
  const auto rows = static_cast<double>(shape.rows);
  return EstimateRows(
      length_ == 0 ? rows : rows * static_cast<double>(shape.source + shape.target) / length_);
}

}  // namespace seq2seq
