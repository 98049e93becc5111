// Image network from an ONNX file, for decoding.
#ifndef SEQ2SEQ_INFERENCE_ONNX_NETWORK_H_
#define SEQ2SEQ_INFERENCE_ONNX_NETWORK_H_

#include <memory>
#include <string>

#include "seq2seq/image/onnx_file.h"
#include "seq2seq/inference/image_network.h"

namespace seq2seq {

// Runs in fp32 through OpenCV, one image at a time, on one thread.
class OnnxInferenceNetwork : public InferenceImageNetwork {
 public:
  // Throws std::runtime_error, naming the file, if it cannot be loaded.
  explicit OnnxInferenceNetwork(const std::string& path);

  Buffer Features(const Array& image) const override;
  double packed_bytes() const override { return 0; }  // OpenCV does not tell.

 private:
  const std::unique_ptr<OnnxFile> file_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_ONNX_NETWORK_H_
