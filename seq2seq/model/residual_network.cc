#include "seq2seq/model/residual_network.h"

#include <algorithm>
#include <numeric>

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

// Groups of some 16 channels: smaller ones would remove the overall brightness and colour of an
// image.
torch::nn::GroupNorm MakeNorm(int64_t channels) {
  const int64_t groups = std::gcd(channels, std::max<int64_t>(channels / 16, 1));
  return torch::nn::GroupNorm(torch::nn::GroupNormOptions(groups, channels));
}

}  // namespace

ResidualBlockImpl::ResidualBlockImpl(int64_t input, int64_t output, int64_t stride)
    : first_norm_(register_module("first_norm", MakeNorm(input))),
      first_(register_module("first", MakeConvolution(input, output, 3, stride))),
      second_norm_(register_module("second_norm", MakeNorm(output))),
      second_(register_module("second", MakeConvolution(output, output, 3, 1))) {
  // A block is initialised to its shortcut.
  torch::nn::init::zeros_(second_->weight);
  if (input != output || stride != 1)
    shortcut_ = register_module("shortcut", MakeConvolution(input, output, 1, stride));
}

torch::Tensor ResidualBlockImpl::forward(const torch::Tensor& input) {
  const torch::Tensor ready = torch::relu(first_norm_(input));
  const torch::Tensor inner = second_(torch::relu(second_norm_(first_(ready))));
  return inner + (shortcut_.is_empty() ? input : shortcut_(ready));
}

ResidualNetworkImpl::ResidualNetworkImpl(int64_t width, int64_t blocks)
    : stem_(register_module("stem", MakeConvolution(3, width, 5, 2))),
      norm_(register_module("norm", MakeNorm(8 * width))) {
  int64_t input = width;
  for (int64_t stage = 0; stage < 4; ++stage) {
    const int64_t output = width << stage;
    for (int64_t block = 0; block < blocks; ++block) {
      stages_->push_back(ResidualBlock(input, output, stage > 0 && block == 0 ? 2 : 1));
      input = output;
    }
  }
  register_module("stages", stages_);
}

torch::Tensor ResidualNetworkImpl::forward(const torch::Tensor& images) {
  return torch::relu(norm_(stages_->forward(stem_(images))));
}

}  // namespace seq2seq
