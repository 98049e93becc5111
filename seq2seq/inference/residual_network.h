// Small residual network (pre-activation ResNet) for decoding, on the kernels.
#ifndef SEQ2SEQ_INFERENCE_RESIDUAL_NETWORK_H_
#define SEQ2SEQ_INFERENCE_RESIDUAL_NETWORK_H_

#include <optional>
#include <vector>

#include "seq2seq/inference/image_network.h"
#include "seq2seq/kernels/convolution.h"

namespace seq2seq {

// Convolutions and group normalisation with ReLU (He et al. 2016b, Wu & He 2018). Agrees with
// ResidualNetworkImpl. Holds three feature maps at a time, of a quarter of the image's pixels.
class ResidualInferenceNetwork : public InferenceImageNetwork {
 public:
  // Packs the convolutions, which are then removed from `arrays`; shares the others.
  ResidualInferenceNetwork(const ImageNetworkOptions& options, ResidualNetworkArrays& arrays,
                           Precision precision);

  Buffer Features(const Array& image) const override;
  double packed_bytes() const override;

 private:
  struct Block {
    NormArrays first_norm, second_norm;
    PackedConvolution first, second;
    std::optional<PackedConvolution> shortcut;
  };

  // The output of a block; overwrites `input`, with which it may share memory.
  static FeatureMap Run(const Block& block, FeatureMap input);

  const PackedConvolution stem_;
  std::vector<Block> blocks_;
  const NormArrays norm_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_RESIDUAL_NETWORK_H_
