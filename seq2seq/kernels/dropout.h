// Dropout whose mask is a function of seed, row and column, and so never stored.
#ifndef SEQ2SEQ_KERNELS_DROPOUT_H_
#define SEQ2SEQ_KERNELS_DROPOUT_H_

#include <cmath>
#include <cstdint>

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// A rate in [0, 1) as the kernels use it.
struct DropoutRate {
  explicit DropoutRate(double rate)
      : threshold(static_cast<int32_t>(std::llround(rate * 2147483647.0))),
        scale(static_cast<float>(1.0 / (1.0 - rate))) {}

  int32_t threshold;  // Random numbers of 31 bits below this drop.
  float scale;        // Of the values that remain.
};

// to = from, where each value becomes zero with probability `rate`, or else is divided by 1 - rate;
// which of both is a function of the seed, the row number and the column. The gradient is the same
// function of the gradients. Rows are numbered from `first` on. `from` and `to` may be the same.
// One thread.
void Dropout(ConstMatrix from, double rate, uint64_t seed, int64_t first, Matrix to);

// to = residual + Dropout(from). `to` may be one of both. One thread.
void DropoutAdd(ConstMatrix residual, ConstMatrix from, double rate, uint64_t seed, int64_t first,
                Matrix to);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_DROPOUT_H_
