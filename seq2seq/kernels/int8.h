// Quantisation to 8-bit integers with a scale per row.
#ifndef SEQ2SEQ_KERNELS_INT8_H_
#define SEQ2SEQ_KERNELS_INT8_H_

#include <cstdint>

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// Rounds each row to multiples of its scale, its largest absolute value divided by 127: `rounded`,
// [row, column], where a row has `stride` elements, those past the columns of `values` zero;
// `scales`, [row]. In parallel.
void RoundToInt8(ConstMatrix values, int8_t* rounded, int64_t stride, float* scales);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_INT8_H_
