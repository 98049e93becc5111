// Image networks for decoding: from pixels to a grid of features.
#ifndef SEQ2SEQ_INFERENCE_IMAGE_NETWORK_H_
#define SEQ2SEQ_INFERENCE_IMAGE_NETWORK_H_

#include <memory>

#include "seq2seq/inference/image_encoder_options.h"
#include "seq2seq/inference/residual_network_arrays.h"
#include "seq2seq/kernels/matrix.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {

// Base class of image networks. One image at a time, with all threads: the features of an image do
// not depend on its batch, and the layers of one alone are in memory. Thread-safe.
class InferenceImageNetwork {
 public:
  virtual ~InferenceImageNetwork() = default;

  // From an image, fp32 [3, height, width], to its features, [position, channels], in reading
  // order. Throws std::runtime_error if the network cannot run on it.
  virtual Buffer Features(const Array& image) const = 0;

  // Bytes of the weights that are laid out anew, beside the arrays.
  virtual double packed_bytes() const = 0;
};

// Makes the network of `options`, which must not be torchscript; null for features. Takes the
// arrays that it packs from `arrays`, of a residual network. Throws std::runtime_error, naming the
// file, if an ONNX network cannot be loaded.
std::unique_ptr<InferenceImageNetwork> MakeInferenceImageNetwork(const ImageNetworkOptions& options,
                                                                 ResidualNetworkArrays& arrays,
                                                                 Precision precision);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_IMAGE_NETWORK_H_
