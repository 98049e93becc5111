// Two-dimensional convolution as matrix products.
#ifndef SEQ2SEQ_KERNELS_CONVOLUTION_H_
#define SEQ2SEQ_KERNELS_CONVOLUTION_H_

#include <cstdint>

#include "seq2seq/kernels/matrix.h"
#include "seq2seq/kernels/product.h"

namespace seq2seq {

// An image, or what a convolution makes of it: a row of channels per pixel, in reading order.
struct FeatureMap {
  Buffer values;  // [height x width, channels]
  int64_t height = 0;
  int64_t width = 0;
};

// The shape of a convolution with a square kernel of odd size, padded by half of it with zeros, and
// without bias.
struct ConvolutionShape {
  int64_t input = 0;   // Channels.
  int64_t output = 0;  // Channels.
  int64_t kernel = 1;
  int64_t stride = 1;
};

// Convolution with packed weights: the patches of some pixels are copied to the rows of a matrix
// (im2col), which is multiplied by the weights. In int8 each patch has a scale. Thread-safe.
class PackedConvolution {
 public:
  // Pixels whose patches each thread holds at once; as many as products multiply at once.
  static constexpr int64_t kTilePixels = 120;

  // `weight`, [output, input, kernel, kernel] as in torch.nn.Conv2d, is copied.
  PackedConvolution(const ConvolutionShape& shape, const float* weight, Precision precision);

  // The convolution of `input`: height and width are divided by the stride and rounded up. A pixel
  // depends on nothing but its patch. Uses all threads, or one when called from within ParallelFor.
  FeatureMap Apply(const FeatureMap& input) const;

  // output += the convolution of `input`.
  void AddTo(const FeatureMap& input, const FeatureMap& output) const;

  // Bytes of the packed weights.
  int64_t bytes() const { return weight_.bytes(); }

 private:
  // Copies the patches of the pixels of the output from `first` on to the rows of `patches`.
  void CopyPatches(const FeatureMap& input, int64_t output_width, int64_t first,
                   Matrix patches) const;
  void Run(const FeatureMap& input, const FeatureMap& output, bool add) const;

  ConvolutionShape shape_;
  PackedMatrix weight_;  // [kernel x kernel x input, output]
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_CONVOLUTION_H_
