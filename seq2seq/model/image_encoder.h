// Image encoder: from images, or their features, to encoder output.
#ifndef SEQ2SEQ_MODEL_IMAGE_ENCODER_H_
#define SEQ2SEQ_MODEL_IMAGE_ENCODER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/image/image.h"
#include "seq2seq/model/recurrent_encoder.h"
#include "seq2seq/model/image_network.h"
#include "seq2seq/model/initialization.h"

namespace seq2seq {

struct ImageEncoderOptions {
  ImageOptions input;
  ImageNetworkOptions network;
  int64_t channels = 0;
  int64_t hidden = 512;
  bool recurrent = false;
  double dropout = 0.3;

  template <typename V>
  void Visit(V&& visit) {
    visit("input", input);
    visit("network", network);
    visit("channels", channels,
          "Channels of the features; 0 uses as many as the network or the feature files have.");
    visit("hidden", hidden,
          "Size of the encoder output at each position of the image; with recurrent, an even "
          "number.");
    visit("recurrent", recurrent,
          "Adds a bidirectional LSTM over the positions in reading order: for features that do not "
          "encode their position.");
    visit("dropout", dropout, "Dropout rate on the projected features.");
  }
};

// InvalidArgument, naming the key and its value, if `options` are invalid.
absl::Status Validate(const ImageEncoderOptions& options);

// Encodes the positions of an image, in reading order, as a text encoder does tokens. The summary
// is their mean, as in Xu et al. 2015.
class ImageEncoderImpl : public torch::nn::Module {
 public:
  // Loads the network; throws if its file is invalid. `options.channels` must not be 0.
  explicit ImageEncoderImpl(const ImageEncoderOptions& options);

  // The network's features of images, [batch, 3, height, width]: [batch, position, channels].
  // Without gradient if the network is frozen.
  torch::Tensor Features(const torch::Tensor& images);

  // Encodes images, [batch, 3, height, width], or features, [batch, position, channels].
  Encoded forward(const torch::Tensor& images);

  // Applies seq2seq::Initialize to the layers after the network.
  void Initialize(const InitializationOptions& options);

  // Size of the last dimension of Encoded::values.
  int64_t output_size() const { return options_.hidden; }

 private:
  ImageEncoderOptions options_;
  ImageNetwork network_{nullptr};
  torch::nn::LayerNorm norm_;
  torch::nn::Linear projection_;
  Cell forward_{nullptr};  // With options.recurrent.
  Cell backward_{nullptr};
};
TORCH_MODULE(ImageEncoder);

// Reads the input of the encoder of `options` from an image file, pixels [3, height, width], or
// from a feature file, [position, channels]; at most `max_pixels` of either.
absl::StatusOr<torch::Tensor> ReadImageInput(const ImageEncoderOptions& options,
                                             const std::string& path,
                                             int64_t max_pixels = kMaxPixels);

// The number of channels of the features of the network of `options`. Costs loading it and one
// image.
int64_t CountChannels(const ImageEncoderOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_IMAGE_ENCODER_H_
