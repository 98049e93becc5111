#include "seq2seq/image/onnx_file.h"

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/image/image_library.h"

namespace seq2seq {

OnnxFile::OnnxFile(std::string path, std::unique_ptr<OnnxModel> model)
    : path_(std::move(path)), model_(std::move(model)) {}

absl::StatusOr<std::unique_ptr<OnnxFile>> OnnxFile::Open(const std::string& path) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const ImageLibrary* const library, OpenImageLibrary());
  std::unique_ptr<OnnxModel> model;
  const std::string wrong = library->load_onnx(path, model);
  if (!wrong.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": is not an ONNX network that OpenCV can run: ", wrong));
  }
  return absl::WrapUnique(new OnnxFile(path, std::move(model)));
}

absl::StatusOr<OnnxFile::Features> OnnxFile::Run(const float* images,
                                                 const std::array<int, 4>& shape) {
  Features features;
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string wrong = model_->Run(images, shape, features.values, features.shape);
  if (wrong.empty()) return features;
  return absl::InvalidArgumentError(absl::StrCat(path_, ": the ONNX network failed: ", wrong));
}

}  // namespace seq2seq
