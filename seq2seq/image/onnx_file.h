// Networks in ONNX files, run through OpenCV.
#ifndef SEQ2SEQ_IMAGE_ONNX_FILE_H_
#define SEQ2SEQ_IMAGE_ONNX_FILE_H_

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "seq2seq/image/image_module.h"

namespace seq2seq {

// Runs on the CPU, one call at a time. Thread-safe.
class OnnxFile {
 public:
  struct Features {
    std::vector<float> values;
    std::array<int, 4> shape = {};  // [batch, channels, rows, columns]
  };

  // InvalidArgument, naming the file and OpenCV's reason, if OpenCV cannot run it; the errors of
  // OpenImageLibrary.
  static absl::StatusOr<std::unique_ptr<OnnxFile>> Open(const std::string& path);

  // The features of images of `shape`, [batch, 3, height, width]. InvalidArgument, naming the file,
  // if it fails.
  absl::StatusOr<Features> Run(const float* images, const std::array<int, 4>& shape);

 private:
  OnnxFile(std::string path, std::unique_ptr<OnnxModel> model);

  const std::string path_;
  std::mutex mutex_;
  const std::unique_ptr<OnnxModel> model_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_IMAGE_ONNX_FILE_H_
