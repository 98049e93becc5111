// What training leaves out at random.
#ifndef SEQ2SEQ_MODEL_DROPOUT_H_
#define SEQ2SEQ_MODEL_DROPOUT_H_

#include <torch/torch.h>

namespace seq2seq {

// The rate of one place, which at -1 is that of all.
inline double DropoutOf(double own, double all) { return own == -1 ? all : own; }

// A mask that keeps the size of signals (Srivastava et al. 2014): 0 for the share `rate` of its
// numbers, 1 / (1 - rate) for the others.
inline torch::Tensor DropoutMask(at::IntArrayRef sizes, double rate, const torch::Tensor& like) {
  return torch::empty(sizes, like.options().requires_grad(false)).bernoulli_(1 - rate) / (1 - rate);
}

// Dropout of a sequence, [step, batch, size]: of each step by itself or, if `variational`, of the
// same numbers in all steps (as the input masks of Gal & Ghahramani 2016).
inline torch::Tensor DropoutSequence(const torch::Tensor& sequence, double rate, bool variational,
                                     bool training) {
  if (!variational || !training || rate == 0) return torch::dropout(sequence, rate, training);
  return sequence * DropoutMask({1, sequence.size(1), sequence.size(2)}, rate, sequence);
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_DROPOUT_H_
