// Estimates of the memory of a forward and backward pass over a batch.
#ifndef SEQ2SEQ_TRAIN_PASS_MEMORY_H_
#define SEQ2SEQ_TRAIN_PASS_MEMORY_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include <c10/core/Device.h>

#include "seq2seq/data/batch.h"
#include "seq2seq/data/split_batch.h"

namespace seq2seq {

// The bytes of a forward and backward pass, beyond those held between passes; gradients, and
// weights that the kernels pack for an update, count as part of the pass. Measured once for
// doubling numbers of rows, and linear in between. Rows count in proportion to their padded length;
// rows of images, whose network takes most of it, all count the same. A value type.
class PassMemory {
 public:
  // Estimates 0 for every pass.
  PassMemory() = default;

  // Measures `pass`, which computes the gradients of a batch on `device` and frees them, on 1, 2,
  // 4, … copies of `row`, a batch of one row of about the longest. Ends at `rows` copies, or when
  // twice as many are estimated to exceed `bound` bytes, or `rows` to take much less: a function of
  // its arguments. Costs up to two passes over `rows` rows; a few rows if these fit easily.
  static PassMemory Measure(absl::FunctionRef<void(const Batch&)> pass, const Batch& row,
                            int64_t rows, double bound, c10::Device device);

  double Estimate(const BatchShape& shape) const;

 private:
  struct Point {
    double rows = 0;
    double bytes = 0;
  };

  // Of that many rows of the length that was measured.
  double EstimateRows(double rows) const;

  std::vector<Point> points_;  // Ascending in both.
  double length_ = 0;  // Of a measured row, source plus target; 0 if length does not matter.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_PASS_MEMORY_H_
