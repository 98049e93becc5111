#include "seq2seq/model/image_network.h"

#include <memory>

#include <c10/util/Exception.h>

#include "seq2seq/model/onnx_network.h"
#include "seq2seq/model/residual_network.h"
#include "seq2seq/model/script_network.h"

namespace seq2seq {

ImageNetwork MakeImageNetwork(const ImageNetworkOptions& options) {
  std::shared_ptr<ImageNetworkImpl> network;
  switch (options.kind) {
    case ImageNetworkKind::kResidual:
      network = std::make_shared<ResidualNetworkImpl>(options.width, options.blocks);
      break;
    case ImageNetworkKind::kTorchscript:
      TORCH_CHECK(options.allow_scripts, options.path,
                  ": is a TorchScript module, which is code: give --allow-scripts, or set "
                  "allow_scripts, if you trust its author");
      network = std::make_shared<ScriptNetworkImpl>(options.path, options.fine_tune);
      break;
    case ImageNetworkKind::kOnnx:
      network = std::make_shared<OnnxNetworkImpl>(options.path);
      break;
    case ImageNetworkKind::kFeatures:
      return ImageNetwork(nullptr);
  }
  return ImageNetwork(network);
}

}  // namespace seq2seq
