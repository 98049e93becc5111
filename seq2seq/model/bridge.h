// Bridge: from the encoder output to the initial states of the decoder's cells.
#ifndef SEQ2SEQ_MODEL_BRIDGE_H_
#define SEQ2SEQ_MODEL_BRIDGE_H_

#include <cstdint>
#include <vector>

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include "seq2seq/inference/model_options.h"
#include "seq2seq/model/encoded.h"
#include "seq2seq/ops/cell_parameters.h"

namespace seq2seq {

// The formulas are at BridgeKind.
class BridgeImpl : public torch::nn::Module {
 public:
  // `encoded` is the size of Encoded::final.
  BridgeImpl(BridgeKind kind, int64_t encoded, const DecoderOptions& options);

  // The initial states, one per layer, with a row per sentence.
  std::vector<CellState> forward(const Encoded& encoded);

 private:
  BridgeKind kind_;
  int64_t layers_;
  int64_t hidden_;
  int64_t states_;                    // Per cell: hidden state and, for some kinds, cell state.
  torch::nn::Linear dense_{nullptr};  // For dense and mean.
};
TORCH_MODULE(Bridge);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_BRIDGE_H_
