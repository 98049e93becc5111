#include "seq2seq/inference/residual_network.h"

#include <utility>

#include "seq2seq/kernels/normalization.h"

namespace seq2seq {
namespace {

// Packs the weight of a convolution and drops it, so that the model is not in memory twice.
PackedConvolution PackAndDrop(Array& weight, int64_t stride, Precision precision) {
  const ConvolutionShape shape = {weight.shape[1], weight.shape[0], weight.shape[2], stride};
  PackedConvolution packed(shape, weight.values<float>(), precision);
  weight = Array();
  return packed;
}

// Normalises `map` into `output`, which may be the same.
void Normalize(const NormArrays& norm, const FeatureMap& map, const FeatureMap& output) {
  GroupNormRelu(map.values.view(), NormGroups(norm.gain.size()),
                {norm.gain.values<float>(), norm.bias.values<float>()}, output.values.view());
}

// From [3, height, width] to a row of red, green and blue per pixel.
FeatureMap PixelRows(const Array& image) {
  const int64_t height = image.shape[1];
  const int64_t width = image.shape[2];
  FeatureMap map = {Buffer(height * width, 3), height, width};
  const auto* from = image.values<float>();
  for (int64_t channel = 0; channel < 3; ++channel) {
    float* to = map.values.view().data + channel;
    for (int64_t pixel = 0; pixel < height * width; ++pixel) to[3 * pixel] = *from++;
  }
  return map;
}

}  // namespace

ResidualInferenceNetwork::ResidualInferenceNetwork(const ImageNetworkOptions& options,
                                                   ResidualNetworkArrays& arrays,
                                                   Precision precision)
    : stem_(PackAndDrop(arrays.stem, kStemStride, precision)), norm_(arrays.norm) {
  const std::vector<ResidualBlockShape> shapes = ResidualBlocks(options.width, options.blocks);
  for (size_t i = 0; i < shapes.size(); ++i) {
    ResidualNetworkArrays::Block& from = arrays.blocks[i];
    Block block = {from.first_norm, from.second_norm,
                   PackAndDrop(from.first, shapes[i].stride, precision),
                   PackAndDrop(from.second, /*stride=*/1, precision), std::nullopt};
    if (shapes[i].has_shortcut())
      block.shortcut = PackAndDrop(from.shortcut, shapes[i].stride, precision);
    blocks_.push_back(std::move(block));
  }
}

FeatureMap ResidualInferenceNetwork::Run(const Block& block, FeatureMap input) {
  FeatureMap ready = input;
  if (!block.shortcut) {  // The input is still needed.
    const Matrix values = input.values.view();
    ready.values = Buffer(values.rows, values.columns);
  }
  Normalize(block.first_norm, input, ready);
  const FeatureMap inner = block.first.Apply(ready);
  Normalize(block.second_norm, inner, inner);
  FeatureMap output = block.shortcut ? block.shortcut->Apply(ready) : std::move(input);
  block.second.AddTo(inner, output);
  return output;
}

Buffer ResidualInferenceNetwork::Features(const Array& image) const {
  FeatureMap map = stem_.Apply(PixelRows(image));
  for (const Block& block : blocks_) map = Run(block, std::move(map));
  Normalize(norm_, map, map);
  return map.values;
}

double ResidualInferenceNetwork::packed_bytes() const {
  int64_t bytes = stem_.bytes();
  for (const Block& block : blocks_)
    bytes +=
        block.first.bytes() + block.second.bytes() + (block.shortcut ? block.shortcut->bytes() : 0);
  return static_cast<double>(bytes);
}

}  // namespace seq2seq
