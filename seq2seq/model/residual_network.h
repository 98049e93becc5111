// Small residual network (pre-activation ResNet) with group normalisation.
#ifndef SEQ2SEQ_MODEL_RESIDUAL_NETWORK_H_
#define SEQ2SEQ_MODEL_RESIDUAL_NETWORK_H_

#include <cstdint>

#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include "seq2seq/inference/residual_network_arrays.h"
#include "seq2seq/model/image_network.h"

namespace seq2seq {

// Pre-activation residual block: two 3 x 3 convolutions with a shortcut connection (He et al.
// 2016), each after normalisation and ReLU (He et al. 2016b). Group normalisation (Wu & He 2018)
// instead of batch normalisation, so that an image does not depend on the rest of its batch.
class ResidualBlockImpl : public torch::nn::Module {
 public:
  explicit ResidualBlockImpl(const ResidualBlockShape& shape);

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

// A convolution with stride 2, and four stages of blocks with 1, 2, 4 and 8 x `width` channels, the
// last three of which halve height and width again. The output has 1/16 of the image's height and
// width.
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
