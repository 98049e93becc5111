#include "seq2seq/model/image_encoder.h"

#include "absl/strings/match.h"
#include <torch/torch.h>

#include "seq2seq/base/profile.h"
#include "seq2seq/model/initialization.h"
#include "seq2seq/ops/recurrent_ops.h"
#include "seq2seq/ops/sequence_ops.h"

namespace seq2seq {

ImageEncoderImpl::ImageEncoderImpl(const ImageEncoderOptions& options)
    : options_(options),
      network_(MakeImageNetwork(options.network)),
      norm_(register_module("norm",
                            torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.channels})))),
      projection_(register_module("projection",
                                  MakeLinear(options.channels, options.hidden, /*bias=*/true))) {
  if (!network_.is_empty()) register_module("network", network_);
  if (options.recurrent) {
    const int64_t half = options.hidden / 2;
    for (const char* name : {"forward", "backward"})
      cells_.push_back(register_module(name, MakeCell(CellKind::kLstm, options.hidden, half)));
  }
}

torch::Tensor ImageEncoderImpl::Features(const torch::Tensor& images) {
  TORCH_CHECK(!network_.is_empty(), "the model takes features, not images");
  const bool frozen = options_.network.is_frozen();
  const torch::AutoGradMode mode(!frozen && torch::GradMode::is_enabled());
  return network_(images).flatten(2).transpose(1, 2);
}

std::string ImageEncoderImpl::DescribePath() const {
  if (!options_.recurrent) return "";
  return is_fused() ? "fused encoder" : "encoder step by step";
}

Encoded ImageEncoderImpl::forward(const Batch& batch) {
  torch::Tensor values, lengths;
  {
    const PhaseTimer timer(Phase::kEncoderForward);
    const torch::Tensor features = batch.values.dim() == 4 ? Features(batch.values) : batch.values;
    TORCH_CHECK(features.size(2) == options_.channels, "features have ", features.size(2),
                " channels; the model expects ", options_.channels);
    values =
        torch::dropout(torch::tanh(projection_(norm_(features))), options_.dropout, is_training());
    lengths = torch::full({values.size(0)}, values.size(1), torch::kInt64);
  }
  if (options_.recurrent) values = RunBothWays(values, lengths);
  return {values, lengths, values.mean(1)};
}

torch::Tensor ImageEncoderImpl::RunBothWays(const torch::Tensor& values,
                                            const torch::Tensor& lengths) {
  if (is_fused()) {
    const auto steps = PackSequence(lengths, /*side_by_side=*/2);
    const torch::Tensor outputs =
        FusedLayer(ParametersOf(cells_), PackRows(values, steps), steps, kEncoderPhases).hidden;
    return PadRows(outputs, steps, values.size(1));
  }
  const PhaseTimer timer(Phase::kEncoderForward);
  const torch::Tensor positions = values.transpose(0, 1);  // [position, batch, hidden]
  return torch::cat({RunCell(cells_[0], positions).hidden,
                     RunCell(cells_[1], positions.flip(0)).hidden.flip(0)},
                    2)
      .transpose(0, 1)
      .contiguous();
}

void ImageEncoderImpl::Initialize(const InitializationOptions& options) {
  seq2seq::Initialize(*projection_, options);
  for (Cell& cell : cells_) seq2seq::Initialize(*cell, options);
}

bool ImageEncoderImpl::IsPretrained(const std::string& parameter) const {
  return options_.network.fine_tune && absl::StartsWith(parameter, "network.");
}

int64_t CountChannels(const ImageEncoderOptions& options) {
  const torch::NoGradGuard no_grad;
  ImageNetwork network = MakeImageNetwork(options.network);
  return network(torch::zeros({1, 3, options.input.size, options.input.size})).size(1);
}

}  // namespace seq2seq
