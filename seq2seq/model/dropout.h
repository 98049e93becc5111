// Dropout with a mask per time step or one for all (variational), and of words.
#ifndef SEQ2SEQ_MODEL_DROPOUT_H_
#define SEQ2SEQ_MODEL_DROPOUT_H_

#include <torch/torch.h>

#include "tokenizer/tokenizer.h"

namespace seq2seq {

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

// Word dropout: `tokens` with the share `share` of them replaced by the unknown token; bos, eos and
// padding stay.
inline torch::Tensor DropWords(const torch::Tensor& tokens, double share) {
  if (share == 0) return tokens;
  const torch::Tensor dropped =
      torch::rand(tokens.sizes(), tokens.device()).lt(share).logical_and(tokens.gt(kEosId));
  return tokens.masked_fill(dropped, kUnknownId);
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_DROPOUT_H_
