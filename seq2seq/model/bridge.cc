#include "seq2seq/model/bridge.h"

#include <torch/torch.h>

#include "seq2seq/model/initialization.h"

namespace seq2seq {

BridgeImpl::BridgeImpl(int64_t encoded, const DecoderOptions& options, int64_t readout)
    : layers_(options.layers),
      readout_size_(readout),
      dense_(register_module(
          "dense", MakeLinear(encoded, 2 * options.layers * options.hidden, /*bias=*/true))) {}

DecoderState BridgeImpl::forward(const torch::Tensor& final) {
  const auto parts = torch::tanh(dense_(final)).chunk(2 * layers_, 1);  // each [batch, hidden]
  DecoderState state;
  for (size_t layer = 0; layer < static_cast<size_t>(layers_); ++layer) {
    state.cells.push_back({parts[2 * layer], parts[2 * layer + 1]});
  }
  state.readout =
      torch::zeros({final.size(0), readout_size_}, final.options().requires_grad(false));
  return state;
}

}  // namespace seq2seq
