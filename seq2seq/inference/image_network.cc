#include "seq2seq/inference/image_network.h"

#include <stdexcept>

#include "seq2seq/inference/onnx_network.h"
#include "seq2seq/inference/residual_network.h"

namespace seq2seq {

std::unique_ptr<InferenceImageNetwork> MakeInferenceImageNetwork(const ImageNetworkOptions& options,
                                                                 ResidualNetworkArrays& arrays,
                                                                 Precision precision) {
  switch (options.kind) {
    case ImageNetworkKind::kResidual:
      return std::make_unique<ResidualInferenceNetwork>(options, arrays, precision);
    case ImageNetworkKind::kOnnx:
      return std::make_unique<OnnxInferenceNetwork>(options.path);
    case ImageNetworkKind::kFeatures:
      return nullptr;
    case ImageNetworkKind::kTorchscript:
      break;
  }
  throw std::invalid_argument("model.image.network.kind=torchscript needs LibTorch");
}

}  // namespace seq2seq
