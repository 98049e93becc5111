// Numbers of 8 bits with a scale.
#ifndef SEQ2SEQ_KERNELS_INT8_H_
#define SEQ2SEQ_KERNELS_INT8_H_

#include <cstdint>

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// Rounds each row to multiples of its scale, which is a 127th of its largest number: rounded [row,
// column], scales [row].
void RoundToInt8(ConstMatrix values, int8_t* rounded, float* scales);

// c (+)= products, [row, column], each times the scales of its row and its column, plus `bias`,
// [column], unless that is null.
void ScaleProducts(const int32_t* products, const float* row_scales, const float* column_scales,
                   const float* bias, bool accumulate, Matrix c);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_INT8_H_
