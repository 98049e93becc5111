#include "seq2seq/inference/image_encoder.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"

#include "seq2seq/inference/packed_weights.h"
#include "seq2seq/kernels/normalization.h"
#include "seq2seq/kernels/packed_sequence.h"
#include "seq2seq/kernels/parallel.h"

namespace seq2seq {
namespace {

// Positions that a thread projects at least, so that products are worth it.
constexpr int64_t kLeastPositions = 16;

std::vector<PackedCell> PackBothWays(ImageEncoderArrays& arrays, Precision precision) {
  if (!arrays.forward.weight_ih.defined()) return {};
  std::vector<PackedCell> cells =
      PackCells(CellKind::kLstm, {ViewCell(arrays.forward), ViewCell(arrays.backward)}, precision);
  DropPacked(arrays.forward);
  DropPacked(arrays.backward);
  return cells;
}

[[noreturn]] void ThrowInvalid(const SourceInput& source, const std::string& wrong) {
  throw std::invalid_argument(absl::StrCat(source.file, ": ", wrong));
}

}  // namespace

ImageInferenceEncoder::ImageInferenceEncoder(const ImageEncoderOptions& options,
                                             ImageEncoderArrays& arrays, Precision precision)
    : network_(MakeInferenceImageNetwork(options.network, arrays.network, precision)),
      projection_(PackAndDrop(arrays.projection, precision)),
      cells_(PackBothWays(arrays, precision)),
      shared_(arrays) {}

double ImageInferenceEncoder::packed_bytes() const {
  return static_cast<double>(projection_.bytes() + PackedBytes(cells_)) +
         (network_ == nullptr ? 0 : network_->packed_bytes());
}

Buffer ImageInferenceEncoder::Project(ConstMatrix features) const {
  const NormWeights norm = {shared_.norm.gain.values<float>(), shared_.norm.bias.values<float>()};
  Buffer projected(features.rows, projection_.columns());
  ParallelRanges(features.rows, kLeastPositions, [&](int64_t begin, int64_t end) {
    const Buffer normal(end - begin, features.columns);
    const Matrix output = projected.view().Rows(begin, end - begin);
    LayerNorm(features.Rows(begin, end - begin), norm, normal.view());
    Multiply(normal.view(), projection_, output, shared_.projection_bias.values<float>());
    TanhForward(output);
  });
  return projected;
}

Buffer ImageInferenceEncoder::EncodeOne(const SourceInput& source) const {
  const bool is_image = source.values.shape.size() == 3;
  if (is_image && network_ == nullptr) ThrowInvalid(source, "the model takes features, not images");
  const Buffer of_network = is_image ? network_->Features(source.values) : Buffer();
  const ConstMatrix features = is_image ? of_network.view() : source.values.matrix();
  if (features.rows == 0 || features.columns != projection_.rows()) {
    ThrowInvalid(source, absl::StrCat("features are [", features.rows, ", ", features.columns,
                                      "]; the model expects at least one position, and ",
                                      projection_.rows(), " channels"));
  }
  return Project(features);
}

void ImageInferenceEncoder::RunBothWays(EncoderOutput& output) const {
  std::vector<int64_t> lengths;
  for (int64_t image = 0; image < output.batch(); ++image) lengths.push_back(output.length(image));
  const PackedSequence steps(lengths, GroupsFor(output.batch(), /*side_by_side=*/2));
  const int64_t hidden = output.values.view().columns;
  const Buffer input(steps.rows(), hidden);
  const Buffer states(steps.rows(), hidden);
  Clear(steps.Tail(input.view()));
  steps.ForEachToken([&](int64_t row, int64_t image, int64_t step) {
    Copy(output.Of(image, output.values).Rows(step, 1), input.view().Rows(row, 1));
  });
  RecurrentForward(steps, input.view(), cells_, states.view());
  steps.ForEachToken([&](int64_t row, int64_t image, int64_t step) {
    Copy(states.view().Rows(row, 1), output.Of(image, output.values).Rows(step, 1));
  });
}

EncoderOutput ImageInferenceEncoder::Encode(absl::Span<const SourceInput* const> sources) const {
  std::vector<Buffer> images;
  EncoderOutput output;
  output.begins = {0};
  for (const SourceInput* source : sources) {
    images.push_back(EncodeOne(*source));
    output.begins.push_back(output.begins.back() + images.back().view().rows);
  }
  output.values = EncoderOutput::Rows(output.begins.back(), projection_.columns());
  for (size_t i = 0; i < images.size(); ++i)
    Copy(images[i].view(), output.Of(static_cast<int64_t>(i), output.values));
  if (!cells_.empty()) RunBothWays(output);
  output.summary = output.Means();
  return output;
}

}  // namespace seq2seq
