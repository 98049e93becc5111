// Bridge: from the encoder output to the initial decoder state.
#ifndef SEQ2SEQ_MODEL_BRIDGE_H_
#define SEQ2SEQ_MODEL_BRIDGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/model/recurrent_decoder.h"
#include "seq2seq/model/recurrent_encoder.h"

namespace seq2seq {

enum class BridgeKind { kDense, kMean, kCopy, kZero };

inline std::vector<std::string> EnumTexts(BridgeKind) { return {"dense", "mean", "copy", "zero"}; }

// Computes the initial states of the decoder's cells; the initial attentional state is zero.
//
// dense  tanh(W final + b), one slice per state (Bahdanau et al. 2015)
// mean   the same with the mean of the encoder output
// copy   final as the hidden state of every layer, zero cell states; the sizes must agree
// zero   all states are zero
class BridgeImpl : public torch::nn::Module {
 public:
  // `encoded` is the size of Encoded::final.
  BridgeImpl(BridgeKind kind, int64_t encoded, const DecoderOptions& options,
             int64_t attentional_state);

  // The initial decoder state, a row per sentence.
  DecoderState forward(const Encoded& encoded);

 private:
  BridgeKind kind_;
  int64_t layers_;
  int64_t hidden_;
  int64_t states_;  // Per cell: hidden state and, for some kinds, cell state.
  int64_t attentional_size_;
  torch::nn::Linear dense_{nullptr};  // For dense and mean.
};
TORCH_MODULE(Bridge);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_BRIDGE_H_
