#include "seq2seq/model/residual_network.h"

#include <torch/torch.h>

namespace seq2seq {
namespace {

torch::nn::Conv2d MakeConvolution(int64_t input, int64_t output, int64_t kernel, int64_t stride) {
  torch::nn::Conv2d convolution(torch::nn::Conv2dOptions(input, output, kernel)
                                    .stride(stride)
                                    .padding(kernel / 2)
                                    .bias(false));
  // Keeps the variance of gradients through ReLUs (He et al. 2015).
  torch::nn::init::kaiming_normal_(convolution->weight, 0, torch::kFanOut, torch::kReLU);
  return convolution;
}

torch::nn::GroupNorm MakeNorm(int64_t channels) {
  return torch::nn::GroupNorm(torch::nn::GroupNormOptions(NormGroups(channels), channels));
}

}  // namespace

ResidualBlockImpl::ResidualBlockImpl(const ResidualBlockShape& shape)
    : first_norm_(register_module("first_norm", MakeNorm(shape.input))),
      first_(register_module("first", MakeConvolution(shape.input, shape.output, 3, shape.stride))),
      second_norm_(register_module("second_norm", MakeNorm(shape.output))),
      second_(register_module("second", MakeConvolution(shape.output, shape.output, 3, 1))) {
  // A block is initialised to its shortcut.
  torch::nn::init::zeros_(second_->weight);
  if (shape.has_shortcut()) {
    shortcut_ =
        register_module("shortcut", MakeConvolution(shape.input, shape.output, 1, shape.stride));
  }
}

torch::Tensor ResidualBlockImpl::forward(const torch::Tensor& input) {
  const torch::Tensor ready = torch::relu(first_norm_(input));
  const torch::Tensor inner = second_(torch::relu(second_norm_(first_(ready))));
  return inner + (shortcut_.is_empty() ? input : shortcut_(ready));
}

ResidualNetworkImpl::ResidualNetworkImpl(int64_t width, int64_t blocks)
    : stem_(register_module("stem", MakeConvolution(3, width, kStemKernel, kStemStride))),
      norm_(register_module("norm", MakeNorm(ResidualChannels(width)))) {
  for (const ResidualBlockShape& shape : ResidualBlocks(width, blocks))
    stages_->push_back(ResidualBlock(shape));
  register_module("stages", stages_);
}

torch::Tensor ResidualNetworkImpl::forward(const torch::Tensor& images) {
  return torch::relu(norm_(stages_->forward(stem_(images))));
}

}  // namespace seq2seq
