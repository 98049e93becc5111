// Estimates of the memory that a pass forward and backward over a batch takes.
#ifndef SEQ2SEQ_TRAIN_PASS_MEMORY_H_
#define SEQ2SEQ_TRAIN_PASS_MEMORY_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include <c10/core/Device.h>

#include "seq2seq/data/batch.h"
#include "seq2seq/data/split_batch.h"

namespace seq2seq {

// The bytes of a pass, beyond what is held between passes; gradients and what the kernels lay out
// for an update are of the pass. Measured once for numbers of rows that double, and linear between.
// Rows count in proportion to their padded length; where sources are images, whose networks take
// most, each as much. A value.
class PassMemory {
 public:
  // No pass takes anything.
  PassMemory() = default;

  // Measures `pass`, which computes the gradients of a batch on `device` and lets them go, for 1,
  // 2, 4, … times `row`, a batch of one row of about the longest; up to `rows` of them, until one
  // more is estimated to take more than `bound` bytes, and no further than needed to see that
  // `rows` take much less. So it depends on nothing but its arguments. Costs up to two passes over
  // `rows`; a few rows where these fit easily.
  static PassMemory Measure(absl::FunctionRef<void(const Batch&)> pass, const Batch& row,
                            int64_t rows, double bound, c10::Device device);

  double Estimate(const BatchShape& shape) const;

 private:
  struct Point {
    double rows = 0;
    double bytes = 0;
  };

  // Of so many rows of the length that was measured.
  double EstimateRows(double rows) const;

  std::vector<Point> points_;  // Rising in both.
  double length_ = 0;  // Of a measured row, source and target; 0 where lengths do not count.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_PASS_MEMORY_H_
