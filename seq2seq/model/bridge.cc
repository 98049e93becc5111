#include "seq2seq/model/bridge.h"

#include <torch/torch.h>

#include "seq2seq/model/initialization.h"

namespace seq2seq {

BridgeImpl::BridgeImpl(BridgeKind kind, int64_t encoded, const DecoderOptions& options,
                       int64_t attentional_state)
    : kind_(kind),
      layers_(options.layers),
      hidden_(options.hidden),
      states_(HasCellState(options.cell) ? 2 : 1),
      attentional_size_(attentional_state) {
  TORCH_CHECK(kind != BridgeKind::kCopy || encoded == hidden_,
              "bridge: cannot copy encoder output of size ", encoded, " to a state of size ",
              hidden_);
  if (kind == BridgeKind::kDense || kind == BridgeKind::kMean) {
    dense_ =
        register_module("dense", MakeLinear(encoded, states_ * layers_ * hidden_, /*bias=*/true));
  }
}

DecoderState BridgeImpl::forward(const Encoded& encoded) {
  // At least fp32: states accumulate over the time steps, and bf16 of autocast would lose small
  // increments.
  const torch::Tensor final =
      encoded.final.to(c10::promoteTypes(encoded.final.scalar_type(), torch::kFloat32));
  const auto zeros = [&](int64_t size) {
    return torch::zeros({final.size(0), size}, final.options().requires_grad(false));
  };
  torch::Tensor filled;  // [batch, all states]
  if (!dense_.is_empty()) {
    const torch::Tensor summary =
        kind_ == BridgeKind::kMean
            ? encoded.values.sum(1) / encoded.mask.sum(1, /*keepdim=*/true).to(final.scalar_type())
            : final;
    filled = torch::tanh(dense_(summary)).to(final.scalar_type());
  }
  DecoderState state;
  for (int64_t layer = 0; layer < layers_; ++layer) {
    const auto part = [&](int64_t number) {
      if (filled.defined()) return filled.narrow(1, (states_ * layer + number) * hidden_, hidden_);
      return number == 0 && kind_ == BridgeKind::kCopy ? final : zeros(hidden_);
    };
    state.cells.push_back({part(0), states_ == 2 ? part(1) : torch::Tensor()});
  }
  state.attentional = zeros(attentional_size_);
  return state;
}

}  // namespace seq2seq
