#include "seq2seq/kernels/convolution.h"

#include <algorithm>

#include "seq2seq/kernels/parallel.h"

namespace seq2seq {
namespace {

// Pixels that a thread takes at least, so that products are worth it.
constexpr int64_t kLeastPixels = 24;

// Packs `weight`, [output, input, kernel, kernel], with the channels of a pixel side by side.
PackedMatrix PackKernels(const ConvolutionShape& shape, const float* weight, Precision precision) {
  const int64_t area = shape.kernel * shape.kernel;
  const Buffer rows(shape.output, area * shape.input);
  for (int64_t output = 0; output < shape.output; ++output) {
    float* row = rows.view().row(output);
    for (int64_t input = 0; input < shape.input; ++input) {
      for (int64_t place = 0; place < area; ++place) row[place * shape.input + input] = *weight++;
    }
  }
  return PackedMatrix::PackTransposed(rows.view(), precision);
}

}  // namespace

PackedConvolution::PackedConvolution(const ConvolutionShape& shape, const float* weight,
                                     Precision precision)
    : shape_(shape), weight_(PackKernels(shape, weight, precision)) {}

void PackedConvolution::CopyPatches(const FeatureMap& input, int64_t output_width, int64_t first,
                                    Matrix patches) const {
  const int64_t channels = shape_.input;
  const int64_t size = shape_.kernel * channels;  // Of a row of a patch.
  for (int64_t i = 0; i < patches.rows; ++i) {
    const int64_t top = (first + i) / output_width * shape_.stride - shape_.kernel / 2;
    const int64_t left = (first + i) % output_width * shape_.stride - shape_.kernel / 2;
    // Columns of the patch that lie within the image.
    const int64_t begin = std::max<int64_t>(-left, 0);
    const int64_t end = std::min(shape_.kernel, input.width - left);
    float* to = patches.row(i);
    for (int64_t y = top; y < top + shape_.kernel; ++y, to += size) {
      if (y < 0 || y >= input.height) {
        std::fill_n(to, size, 0.0f);
        continue;
      }
      const float* from = input.values.view().row(y * input.width + left + begin);
      std::fill_n(to, begin * channels, 0.0f);
      std::copy_n(from, (end - begin) * channels, to + begin * channels);
      std::fill_n(to + end * channels, size - end * channels, 0.0f);
    }
  }
}

void PackedConvolution::Run(const FeatureMap& input, const FeatureMap& output, bool add) const {
  const Matrix pixels = output.values.view();
  ParallelRanges(pixels.rows, kLeastPixels, [&](int64_t begin, int64_t end) {
    const Buffer buffer(std::min(kTilePixels, end - begin), weight_.rows());
    for (int64_t first = begin; first < end; first += kTilePixels) {
      const Matrix patches = buffer.view().Rows(0, std::min(kTilePixels, end - first));
      CopyPatches(input, output.width, first, patches);
      if (add) {
        MultiplyAdd(patches, weight_, pixels.Rows(first, patches.rows));
      } else {
        Multiply(patches, weight_, pixels.Rows(first, patches.rows));
      }
    }
  });
}

FeatureMap PackedConvolution::Apply(const FeatureMap& input) const {
  const int64_t height = (input.height + shape_.stride - 1) / shape_.stride;
  const int64_t width = (input.width + shape_.stride - 1) / shape_.stride;
  FeatureMap output = {Buffer(height * width, shape_.output), height, width};
  Run(input, output, /*add=*/false);
  return output;
}

void PackedConvolution::AddTo(const FeatureMap& input, const FeatureMap& output) const {
  Run(input, output, /*add=*/true);
}

}  // namespace seq2seq
