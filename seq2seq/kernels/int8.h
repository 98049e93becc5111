// Numbers of 8 bits with a scale.
#ifndef SEQ2SEQ_KERNELS_INT8_H_
#define SEQ2SEQ_KERNELS_INT8_H_

#include <cstdint>

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// Rounds each row to multiples of its scale, which is a 127th of its largest number: rounded [row,
// column], of which a row has `stride` numbers, those behind the columns of `values` zero; scales
// [row]. In parallel.
void RoundToInt8(ConstMatrix values, int8_t* rounded, int64_t stride, float* scales);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_INT8_H_
