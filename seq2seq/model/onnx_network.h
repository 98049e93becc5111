// Image network from an ONNX file.
#ifndef SEQ2SEQ_MODEL_ONNX_NETWORK_H_
#define SEQ2SEQ_MODEL_ONNX_NETWORK_H_

#include <memory>
#include <string>

#include <torch/nn/pimpl.h>

#include "seq2seq/image/onnx_file.h"
#include "seq2seq/model/image_network.h"

namespace seq2seq {

// Runs on the CPU through OpenCV, one call at a time. Has no trainable parameters.
class OnnxNetworkImpl : public ImageNetworkImpl {
 public:
  // Throws if the file is invalid.
  explicit OnnxNetworkImpl(const std::string& path);

  torch::Tensor forward(const torch::Tensor& images) override;

 private:
  std::unique_ptr<OnnxFile> file_;
};
TORCH_MODULE(OnnxNetwork);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_ONNX_NETWORK_H_
