// From the encoder's last state to the decoder's first.
#ifndef SEQ2SEQ_MODEL_BRIDGE_H_
#define SEQ2SEQ_MODEL_BRIDGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/model/decoder.h"
#include "seq2seq/model/encoder.h"

namespace seq2seq {

enum class BridgeKind { kDense, kMean, kCopy, kZero };

inline std::vector<std::string> EnumTexts(BridgeKind) { return {"dense", "mean", "copy", "zero"}; }

// What the decoder's cells start from; the first readout is zero.
//
// dense  tanh(W final + b), with a part of its own for each state (Bahdanau et al. 2015)
// mean   the same of the mean of all places
// copy   final is the output of every cell, whose memories are zero: the sizes must agree
// zero   nothing
class BridgeImpl : public torch::nn::Module {
 public:
  // `encoded` is the size of Encoded::final.
  BridgeImpl(BridgeKind kind, int64_t encoded, const DecoderOptions& options, int64_t readout);

  // The state of a row for each sentence.
  DecoderState forward(const Encoded& encoded);

 private:
  BridgeKind kind_;
  int64_t layers_;
  int64_t hidden_;
  int64_t states_;  // Of a cell.
  int64_t readout_size_;
  torch::nn::Linear dense_{nullptr};  // Of dense and mean.
};
TORCH_MODULE(Bridge);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_BRIDGE_H_
