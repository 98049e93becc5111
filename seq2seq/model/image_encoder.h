// From images to what the decoder attends to.
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

#include "seq2seq/data/image.h"
#include "seq2seq/model/encoder.h"
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
          "Of the features that the network gives; 0 stands for as many as there are.");
    visit("hidden", hidden, "Size of what the decoder gets to see of each place in the image.");
    visit(
        "recurrent", recurrent,
        "Read the places one after the other, by LSTM cells from either end: for features that do "
        "not tell where they are.");
    visit("dropout", dropout, "On what the decoder gets to see.");
  }
};

// InvalidArgument, naming the key and its value, if no encoder can be made of `options`.
absl::Status Validate(const ImageEncoderOptions& options);

// The places of an image in reading order, as an encoder of text gives words. The summary is their
// mean, as Xu et al. 2015 begin a caption.
class ImageEncoderImpl : public torch::nn::Module {
 public:
  // Loads the network; throws what is wrong with its file. `options.channels` must be known.
  explicit ImageEncoderImpl(const ImageEncoderOptions& options);

  // What the network says of images, [batch, 3, height, width]: [batch, place, channels]. Without
  // gradient where the network is frozen.
  torch::Tensor Features(const torch::Tensor& images);

  // Encodes images, [batch, 3, height, width], or features, [batch, place, channels].
  Encoded forward(const torch::Tensor& images);

  // Other first values for what is not the network's.
  void Initialize(const InitializationOptions& options);

  // The last size of Encoded::values.
  int64_t output_size() const { return options_.hidden; }

 private:
  ImageEncoderOptions options_;
  ImageNetwork network_{nullptr};
  torch::nn::LayerNorm norm_;
  torch::nn::Linear projection_;
  Cell forward_{nullptr};  // Where places are read one after the other.
  Cell backward_{nullptr};
};
TORCH_MODULE(ImageEncoder);

// Reads what the encoder of `options` is given of an image: pixels, [3, height, width], or the
// features in a file, [place, channels]; at most `max_pixels` of either.
absl::StatusOr<torch::Tensor> ReadImageInput(const ImageEncoderOptions& options,
                                             const std::string& path,
                                             int64_t max_pixels = kMaxPixels);

// The channels of the features that the network of `options` gives. Costs loading it and one image.
int64_t CountChannels(const ImageEncoderOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_IMAGE_ENCODER_H_
