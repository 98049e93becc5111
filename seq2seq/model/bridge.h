// From the encoder's last state to the decoder's first.
#ifndef SEQ2SEQ_MODEL_BRIDGE_H_
#define SEQ2SEQ_MODEL_BRIDGE_H_

#include <cstdint>

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/model/decoder.h"

namespace seq2seq {

// A dense layer: tanh(W final + b) fills the state of every decoder cell (Bahdanau et al.
// 2015). The first readout is zero.
class BridgeImpl : public torch::nn::Module {
 public:
  // `encoded` is the size of Encoded::final.
  BridgeImpl(int64_t encoded, const DecoderOptions& options, int64_t readout);

  // [batch, encoded] -> the state of `batch` rows.
  DecoderState forward(const torch::Tensor& final);

 private:
  int64_t layers_;
  int64_t states_;  // Of a cell.
  int64_t readout_size_;
  torch::nn::Linear dense_;
};
TORCH_MODULE(Bridge);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_BRIDGE_H_
