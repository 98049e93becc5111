// Image networks: from pixels to a grid of features.
#ifndef SEQ2SEQ_MODEL_IMAGE_NETWORK_H_
#define SEQ2SEQ_MODEL_IMAGE_NETWORK_H_

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/inference/image_encoder_options.h"

namespace seq2seq {

// A network from images, [batch, 3, height, width], to features, [batch, channels, rows, columns].
class ImageNetworkImpl : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(const torch::Tensor& images) = 0;
};
TORCH_MODULE(ImageNetwork);

// Makes the network of `options`; an empty one for features. Throws c10::Error if the file `path`
// is invalid.
ImageNetwork MakeImageNetwork(const ImageNetworkOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_IMAGE_NETWORK_H_
