#include "seq2seq/model/bridge.h"

#include <torch/torch.h>

#include "seq2seq/model/initialization.h"

namespace seq2seq {

BridgeImpl::BridgeImpl(int64_t encoded, const DecoderOptions& options, int64_t readout)
    : layers_(options.layers),
      states_(HasMemory(options.cell) ? 2 : 1),
      readout_size_(readout),
      dense_(register_module(
          "dense", MakeLinear(encoded, states_ * options.layers * options.hidden, /*bias=*/true))) {
}

DecoderState BridgeImpl::forward(const torch::Tensor& final) {
  const auto parts =
      torch::tanh(dense_(final)).chunk(states_ * layers_, 1);  // each [batch, hidden]
  DecoderState state;
  for (size_t layer = 0; layer < static_cast<size_t>(layers_); ++layer) {
    if (states_ == 2) {
      state.cells.push_back({parts[2 * layer], parts[2 * layer + 1]});
    } else {
      state.cells.push_back({parts[layer], torch::Tensor()});
    }
  }
  state.readout =
      torch::zeros({final.size(0), readout_size_}, final.options().requires_grad(false));
  return state;
}

}  // namespace seq2seq
