#include "seq2seq/model/bridge.h"

#include <torch/torch.h>

#include "seq2seq/model/initialization.h"

namespace seq2seq {

BridgeImpl::BridgeImpl(BridgeKind kind, int64_t encoded, const DecoderOptions& options)
    : kind_(kind),
      layers_(options.layers),
      hidden_(options.hidden),
      states_(HasCellState(options.cell) ? 2 : 1) {
  TORCH_CHECK(kind != BridgeKind::kCopy || encoded == hidden_,
              "bridge: cannot copy encoder output of size ", encoded, " to a state of size ",
              hidden_);
  if (kind == BridgeKind::kDense || kind == BridgeKind::kMean) {
    dense_ =
        register_module("dense", MakeLinear(encoded, states_ * layers_ * hidden_, /*bias=*/true));
  }
}

std::vector<CellState> BridgeImpl::forward(const Encoded& encoded) {
  // At least fp32: states accumulate over the time steps, and bf16 of autocast would lose small
  // increments.
  const auto promoted = [](const torch::Tensor& state) {
    return state.defined() ? state.to(c10::promoteTypes(state.scalar_type(), torch::kFloat32))
                           : state;
  };
  std::vector<CellState> states;
  if (kind_ == BridgeKind::kLayers) {
    TORCH_CHECK(static_cast<int64_t>(encoded.layers.size()) == layers_,
                "bridge: expected the states of ", layers_, " layers, found ",
                encoded.layers.size());
    for (const CellState& layer : encoded.layers) {
      TORCH_CHECK(layer.hidden.size(1) == hidden_ && layer.cell_state.defined() == (states_ == 2),
                  "bridge: states of another size or kind");
      states.push_back({promoted(layer.hidden), promoted(layer.cell_state)});
    }
    return states;
  }
  const torch::Tensor final = promoted(encoded.final);
  torch::Tensor filled;  // [batch, all states]
  if (!dense_.is_empty()) {
    const torch::Tensor summary =
        kind_ == BridgeKind::kMean
            ? encoded.values.sum(1) / encoded.lengths.unsqueeze(1).to(final.options())
            : final;
    filled = torch::tanh(dense_(summary)).to(final.scalar_type());
  }
  const auto part = [&](int64_t layer, int64_t number) {
    if (filled.defined()) return filled.narrow(1, (states_ * layer + number) * hidden_, hidden_);
    if (number == 0 && kind_ == BridgeKind::kCopy) return final;
    return torch::zeros({final.size(0), hidden_}, final.options().requires_grad(false));
  };
  for (int64_t layer = 0; layer < layers_; ++layer)
    states.push_back({part(layer, 0), states_ == 2 ? part(layer, 1) : torch::Tensor()});
  return states;
}

}  // namespace seq2seq
