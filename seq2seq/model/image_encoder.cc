#include "seq2seq/model/image_encoder.h"

#include <torch/torch.h>

#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/profile.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/image/feature_file.h"
#include "seq2seq/model/initialization.h"

namespace seq2seq {

absl::Status Validate(const ImageEncoderOptions& options) {
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options.input, "model.image.input"));
  OptionRules rules;
  const ImageNetworkOptions& network = options.network;
  const bool from_file =
      network.kind == ImageNetworkKind::kTorchscript || network.kind == ImageNetworkKind::kOnnx;
  rules.Expect("model.image.network.path", network.path, from_file != network.path.empty(),
               from_file ? "a file" : "no file for this kind of network");
  rules.Expect("model.image.network.fine_tune", network.fine_tune,
               !network.fine_tune || network.kind == ImageNetworkKind::kTorchscript,
               "true for torchscript only");
  rules.Expect("model.image.network.width", network.width,
               network.width >= 1 && network.width <= 1024, "1 to 1,024");
  rules.Expect("model.image.network.blocks", network.blocks,
               network.blocks >= 1 && network.blocks <= 100, "1 to 100");
  rules.Expect("model.image.channels", options.channels,
               options.channels >= 0 && options.channels <= 100'000, "0 to 100,000");
  rules.Expect("model.image.hidden", options.hidden,
               options.hidden >= 1 && options.hidden <= 100'000, "1 to 100,000");
  rules.Expect("model.image.hidden", options.hidden, !options.recurrent || options.hidden % 2 == 0,
               "an even number with recurrent");
  rules.ExpectShare("model.image.dropout", options.dropout);
  return rules.status();
}

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
    forward_ = register_module("forward", MakeCell(CellKind::kLstm, options.hidden, half));
    backward_ = register_module("backward", MakeCell(CellKind::kLstm, options.hidden, half));
  }
}

torch::Tensor ImageEncoderImpl::Features(const torch::Tensor& images) {
  TORCH_CHECK(!network_.is_empty(), "the model takes features, not images");
  const bool frozen = options_.network.is_frozen();
  const torch::AutoGradMode mode(!frozen && torch::GradMode::is_enabled());
  return network_(images).flatten(2).transpose(1, 2);
}

Encoded ImageEncoderImpl::forward(const torch::Tensor& images) {
  const PhaseTimer timer(Phase::kEncoderForward);
  const torch::Tensor features = images.dim() == 4 ? Features(images) : images;
  TORCH_CHECK(features.size(2) == options_.channels, "features have ", features.size(2),
              " channels; the model expects ", options_.channels);
  torch::Tensor values =
      torch::dropout(torch::tanh(projection_(norm_(features))), options_.dropout, is_training());
  if (options_.recurrent) {
    const torch::Tensor positions = values.transpose(0, 1);  // [position, batch, hidden]
    values =
        torch::cat({RunCell(forward_, positions), RunCell(backward_, positions.flip(0)).flip(0)}, 2)
            .transpose(0, 1)
            .contiguous();
  }
  const torch::Tensor mask = torch::ones(
      {values.size(0), values.size(1)}, torch::TensorOptions(torch::kBool).device(values.device()));
  return {values, mask, values.mean(1)};
}

void ImageEncoderImpl::Initialize(const InitializationOptions& options) {
  seq2seq::Initialize(*projection_, options);
  if (!options_.recurrent) return;
  seq2seq::Initialize(*forward_, options);
  seq2seq::Initialize(*backward_, options);
}

absl::StatusOr<torch::Tensor> ReadImageInput(const ImageEncoderOptions& options,
                                             const std::string& path, int64_t max_pixels) {
  return options.network.kind == ImageNetworkKind::kFeatures
             ? ReadFeatures(path, max_pixels)
             : ReadImage(path, options.input, {}, max_pixels);
}

int64_t CountChannels(const ImageEncoderOptions& options) {
  const torch::NoGradGuard no_grad;
  ImageNetwork network = MakeImageNetwork(options.network);
  return network(torch::zeros({1, 3, options.input.size, options.input.size})).size(1);
}

}  // namespace seq2seq
