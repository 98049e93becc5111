// Simpler Simple Recurrent Unit, SSRU (Kim et al. 2019): the scan over time steps.
#ifndef SEQ2SEQ_KERNELS_SSRU_H_
#define SEQ2SEQ_KERNELS_SSRU_H_

#include "seq2seq/kernels/matrix.h"
#include "seq2seq/kernels/sequence_rows.h"

namespace seq2seq {

// With s the logistic function, and input x~ and forget gate from products with the rows of the
// layer below, of all time steps at once:
//
//   f_t = s(forget_t),  c_t = f_t c_{t-1} + (1 - f_t) x~_t,  c_0 = 0,  h_t = max(0, c_t)
//
// Input and forget gate, before s, may be columns of one matrix.
struct SsruInput {
  ConstMatrix input;   // [row, size]
  ConstMatrix forget;  // [row, size]
};

// Sets the cell states c and hidden states h, [row, size], zero past the last token. Uses all
// threads, a sentence each.
void SsruForward(const SequenceRows& rows, const SsruInput& inputs, Matrix cell_state,
                 Matrix hidden);

// Sets the gradients of the inputs, zero past the last token, given that of the hidden states.
void SsruBackward(const SequenceRows& rows, const SsruInput& inputs, ConstMatrix cell_state,
                  ConstMatrix hidden_gradient, Matrix input_gradient, Matrix forget_gradient);

// One time step of some rows. `cell_state_before` is zero if empty, and may be `cell_state`. One
// thread.
void SsruStep(const SsruInput& inputs, ConstMatrix cell_state_before, Matrix cell_state,
              Matrix hidden);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_SSRU_H_
