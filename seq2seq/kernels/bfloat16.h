// Conversion to bfloat16: sign, exponent, and 7 fraction bits of a float.
#ifndef SEQ2SEQ_KERNELS_BFLOAT16_H_
#define SEQ2SEQ_KERNELS_BFLOAT16_H_

#include <cstdint>

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// Rounds to nearest, ties to even. A row of `rounded` has `stride` elements; those past the columns
// of `values` become zero. In parallel.
void RoundToBfloat16(ConstMatrix values, uint16_t* rounded, int64_t stride);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_BFLOAT16_H_
