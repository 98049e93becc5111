// Image encoder: from images, or their features, to encoder output.
#ifndef SEQ2SEQ_MODEL_IMAGE_ENCODER_H_
#define SEQ2SEQ_MODEL_IMAGE_ENCODER_H_

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

#include "seq2seq/inference/image_encoder_options.h"
#include "seq2seq/model/cell.h"
#include "seq2seq/model/encoder.h"
#include "seq2seq/model/image_network.h"

namespace seq2seq {

// Encodes the positions of an image, in reading order, as a text encoder does tokens. The summary
// is their mean, as in Xu et al. 2015.
class ImageEncoderImpl : public EncoderImpl {
 public:
  // Loads the network; throws if its file is invalid. `options.channels` must not be 0.
  explicit ImageEncoderImpl(const ImageEncoderOptions& options);

  // The network's features of images, [batch, 3, height, width]: [batch, position, channels].
  // Without gradient if the network is frozen.
  torch::Tensor Features(const torch::Tensor& images);

  // Encodes Batch::values: images, [batch, 3, height, width], or features, [batch, position,
  // channels].
  Encoded forward(const Batch& batch) override;
  std::string DescribePath() const override;

  // The layers after the network alone.
  void Initialize(const InitializationOptions& options) override;

  // The network's, where it is fine-tuned.
  bool IsPretrained(const std::string& parameter) const override;

 private:
  // Whether the kernels compute the bidirectional layer.
  bool is_fused() const { return cells_[0]->is_fused(); }
  // The bidirectional layer over the positions of images: [batch, position, hidden], of `lengths`.
  torch::Tensor RunBothWays(const torch::Tensor& values, const torch::Tensor& lengths);

  ImageEncoderOptions options_;
  ImageNetwork network_{nullptr};
  torch::nn::LayerNorm norm_;
  torch::nn::Linear projection_;
  std::vector<Cell> cells_;  // Forward and backward, with options.recurrent.
};
TORCH_MODULE(ImageEncoder);

// The number of channels of the features of the network of `options`. Costs loading it and one
// image.
int64_t CountChannels(const ImageEncoderOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_IMAGE_ENCODER_H_
