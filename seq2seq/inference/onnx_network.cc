#include "seq2seq/inference/onnx_network.h"

#include <stdexcept>
#include <utility>

#include "absl/status/statusor.h"

namespace seq2seq {
namespace {

template <typename T>
T ValueOrThrow(absl::StatusOr<T> value) {
  if (!value.ok()) throw std::runtime_error(std::string(value.status().message()));
  return *std::move(value);
}

}  // namespace

OnnxInferenceNetwork::OnnxInferenceNetwork(const std::string& path)
    : file_(ValueOrThrow(OnnxFile::Open(path))) {}

Buffer OnnxInferenceNetwork::Features(const Array& image) const {
  const auto height = static_cast<int>(image.shape[1]);
  const auto width = static_cast<int>(image.shape[2]);
  const OnnxFile::Features found =
      ValueOrThrow(file_->Run(image.values<float>(), {1, 3, height, width}));
  const int64_t channels = found.shape[1];
  const int64_t positions = int64_t{found.shape[2]} * found.shape[3];
  Buffer features(positions, channels);
  for (int64_t channel = 0; channel < channels; ++channel) {
    const float* from = found.values.data() + channel * positions;
    float* to = features.view().data + channel;
    for (int64_t i = 0; i < positions; ++i) to[i * channels] = from[i];
  }
  return features;
}

}  // namespace seq2seq
