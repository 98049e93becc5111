// Dropout whose mask is a function of seed, row and column, and so never stored.
#ifndef SEQ2SEQ_KERNELS_DROPOUT_H_
#define SEQ2SEQ_KERNELS_DROPOUT_H_

#include <cstdint>

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// to = from, where each value becomes zero with probability `rate`, or else is divided by 1 - rate;
// which of both is a function of the seed, the row number and the column. The gradient is the same
// function of the gradients. Rows are numbered from `first` on. `from` and `to` may be the same.
// One thread.
void Dropout(ConstMatrix from, double rate, uint64_t seed, int64_t first, Matrix to);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_DROPOUT_H_
