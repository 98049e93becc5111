// Sinusoidal position encodings.
#ifndef SEQ2SEQ_INFERENCE_POSITIONS_H_
#define SEQ2SEQ_INFERENCE_POSITIONS_H_

#include <cstdint>

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// Sets row i of `rows`, [position, size], to the encoding of position `first` + i: sin(position /
// 10000^(2j / size)) in column 2j and the cosine in column 2j + 1 (Vaswani et al. 2017).
void SinusoidalPositions(int64_t first, Matrix rows);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_POSITIONS_H_
