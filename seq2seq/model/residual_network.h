// A small convolutional network.
#ifndef SEQ2SEQ_MODEL_RESIDUAL_NETWORK_H_
#define SEQ2SEQ_MODEL_RESIDUAL_NETWORK_H_

#include <cstdint>

#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include "seq2seq/model/image_network.h"

namespace seq2seq {

// Two convolutions of 3 x 3 around which the input is passed on (He et al. 2016), normalised and
// rectified before each (He et al. 2016b). Normalises groups of channels (Wu & He 2018) instead of
// batches, so that an image does not depend on its neighbours.
class ResidualBlockImpl : public torch::nn::Module {
 public:
  ResidualBlockImpl(int64_t input, int64_t output, int64_t stride);

  // [batch, input, height, width] -> [batch, output, height / stride, width / stride]
  torch::Tensor forward(const torch::Tensor& input);

 private:
  torch::nn::GroupNorm first_norm_;
  torch::nn::Conv2d first_;
  torch::nn::GroupNorm second_norm_;
  torch::nn::Conv2d second_;
  torch::nn::Conv2d shortcut_{nullptr};  // Where the sizes differ.
};
TORCH_MODULE(ResidualBlock);

// A convolution that halves the image, and four stages of blocks with 1, 2, 4 and 8 x `width`
// channels, the last three of which halve it again: a grid of a sixteenth of the image's size.
class ResidualNetworkImpl : public ImageNetworkImpl {
 public:
  ResidualNetworkImpl(int64_t width, int64_t blocks);

  torch::Tensor forward(const torch::Tensor& images) override;

 private:
  torch::nn::Conv2d stem_;
  torch::nn::Sequential stages_;
  torch::nn::GroupNorm norm_;
};
TORCH_MODULE(ResidualNetwork);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_RESIDUAL_NETWORK_H_
