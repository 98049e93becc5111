#include "seq2seq/model/onnx_network.h"

#include <array>
#include <vector>

#include <torch/torch.h>

#include "seq2seq/image/image_library.h"

namespace seq2seq {

OnnxNetworkImpl::OnnxNetworkImpl(const std::string& path) {
  const auto library = OpenImageLibrary();
  TORCH_CHECK(library.ok(), std::string(library.status().message()));
  const std::string wrong = (*library)->load_onnx(path, model_);
  TORCH_CHECK(wrong.empty(), path, ": is not an ONNX network that OpenCV can run: ", wrong);
}

torch::Tensor OnnxNetworkImpl::forward(const torch::Tensor& images) {
  const torch::Tensor floats = images.to(torch::kCPU, torch::kFloat32).contiguous();
  std::array<int, 4> image_shape;
  for (size_t i = 0; i < 4; ++i) {
    image_shape[i] = static_cast<int>(floats.size(static_cast<int64_t>(i)));
  }
  std::vector<float> features;
  std::array<int, 4> shape;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::string wrong = model_->Run(floats.data_ptr<float>(), image_shape, features, shape);
    TORCH_CHECK(wrong.empty(), "the ONNX network failed: ", wrong);
  }
  return torch::tensor(features)
      .view({shape[0], shape[1], shape[2], shape[3]})
      .to(images.device(), images.scalar_type());
}

}  // namespace seq2seq
