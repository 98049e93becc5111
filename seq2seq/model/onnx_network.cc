#include "seq2seq/model/onnx_network.h"

#include <array>
#include <utility>

#include <torch/torch.h>

namespace seq2seq {

OnnxNetworkImpl::OnnxNetworkImpl(const std::string& path) {
  auto file = OnnxFile::Open(path);
  TORCH_CHECK(file.ok(), std::string(file.status().message()));
  file_ = *std::move(file);
}

torch::Tensor OnnxNetworkImpl::forward(const torch::Tensor& images) {
  const torch::Tensor floats = images.to(torch::kCPU, torch::kFloat32).contiguous();
  std::array<int, 4> image_shape;
  for (size_t i = 0; i < 4; ++i) {
    image_shape[i] = static_cast<int>(floats.size(static_cast<int64_t>(i)));
  }
  const auto features = file_->Run(floats.data_ptr<float>(), image_shape);
  TORCH_CHECK(features.ok(), std::string(features.status().message()));
  const auto& [values, shape] = *features;
  return torch::tensor(values)
      .view({shape[0], shape[1], shape[2], shape[3]})
      .to(images.device(), images.scalar_type());
}

}  // namespace seq2seq
