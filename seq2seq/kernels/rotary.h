// Rotary position embedding (Su et al. 2021).
#ifndef SEQ2SEQ_KERNELS_ROTARY_H_
#define SEQ2SEQ_KERNELS_ROTARY_H_

#include <cstdint>

#include "seq2seq/kernels/matrix.h"
#include "seq2seq/kernels/sequence_rows.h"

namespace seq2seq {

// Rotates queries and keys by angles in proportion to their positions, so that their products
// depend on the distance of both. Value i of the first half of a head and value i of its second
// half are a pair, the convention of GPT-NeoX and Hugging Face (not neighbours, as in the paper and
// GPT-J); the angle of pair i at position p is p base^(-2 i / head size).
class RotaryTable {
 public:
  // The cosines and sines of `positions` positions, 4 x head size bytes each. Immutable; to be
  // shared by all layers. `head_size` is even.
  RotaryTable(int64_t head_size, int64_t positions, double base = 10000);

  int64_t head_size() const { return cosines_.view().columns * 2; }
  int64_t positions() const { return cosines_.view().rows; }
  ConstMatrix cosines() const { return cosines_.view(); }  // [position, head size / 2]
  ConstMatrix sines() const { return sines_.view(); }

 private:
  Buffer cosines_;
  Buffer sines_;
};

// to = from, where each head of a token, `head_size` neighbouring columns, is rotated by the
// token's position in its sequence, or by its negative: the inverse, and the gradient. `to` may be
// `from`, and is zero past the last token. Queries and keys that are neighbours in a projection,
// [row, 2 size], are as twice as many heads. The table has the positions of the longest sequence.
// Uses all threads.
void Rotate(const RotaryTable& table, const SequenceRows& rows, bool inverse, ConstMatrix from,
            Matrix to);

// One time step: rows that are all at `position`, in place. One thread.
void RotateStep(const RotaryTable& table, int64_t position, Matrix values);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_ROTARY_H_
