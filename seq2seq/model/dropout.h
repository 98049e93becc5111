// Dropout, with a mask per time step or one for all (variational).
#ifndef SEQ2SEQ_MODEL_DROPOUT_H_
#define SEQ2SEQ_MODEL_DROPOUT_H_

#include <torch/torch.h>

namespace seq2seq {

// The dropout rate `own` of one kind, or the general rate `all` if `own` is -1.
inline double DropoutOf(double own, double all) { return own == -1 ? all : own; }

// A mask of inverted dropout (Srivastava et al. 2014), which keeps the expected value: 0 with
// probability `rate`, else 1 / (1 - rate).
inline torch::Tensor DropoutMask(at::IntArrayRef sizes, double rate, const torch::Tensor& like) {
  return torch::empty(sizes, like.options().requires_grad(false)).bernoulli_(1 - rate) / (1 - rate);
}

// Dropout of a sequence, [time, batch, size], with a mask for each time step or, if `variational`,
// one mask for all (as the input masks of Gal & Ghahramani 2016).
inline torch::Tensor DropoutSequence(const torch::Tensor& sequence, double rate, bool variational,
                                     bool training) {
  if (!variational || !training || rate == 0) return torch::dropout(sequence, rate, training);
  return sequence * DropoutMask({1, sequence.size(1), sequence.size(2)}, rate, sequence);
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_DROPOUT_H_
