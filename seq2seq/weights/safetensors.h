// Safetensors files of named tensors: a length, a JSON header, the bytes. Python opens them with
// safetensors.torch.load_file.
#ifndef SEQ2SEQ_WEIGHTS_SAFETENSORS_H_
#define SEQ2SEQ_WEIGHTS_SAFETENSORS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <torch/nn/module.h>
#include <torch/types.h>

namespace seq2seq {

using TensorMap = std::map<std::string, torch::Tensor>;

// Limits for files from untrusted sources.
struct TensorFileLimits {
  int64_t header_bytes = 16 << 20;
  int64_t tensors = 100'000;
};

// Writes `tensors` to a file atomically. Tensors may be on any device, of any layout.
absl::Status WriteTensors(const std::string& path, const TensorMap& tensors);

// Memory-maps a file: the tensors share a mapping that is freed with the last of them; writes to
// them are private to this process. Costs milliseconds whatever the size. DataLoss, naming the file
// and the cause, if it is not a complete safetensors file within `limits`.
absl::StatusOr<TensorMap> ReadTensors(const std::string& path, const TensorFileLimits& limits = {});

// DataLoss, naming `path` and the tensor, if one holds NaN or infinite numbers. Costs milliseconds
// for ten million.
absl::Status CheckFinite(const TensorMap& tensors, const std::string& path);

// The parameters of `module`, by their dotted names. They share memory with it.
TensorMap Parameters(const torch::nn::Module& module);

// Copies the tensors of `from` into those of the same names in `to`. InvalidArgument, naming `path`
// and the tensor, if one is missing, left over, or of another shape; then nothing is copied.
absl::Status AssignTensors(const TensorMap& from, const std::string& path, TensorMap to);

// The same without copying: the parameters `to` take over the data of the tensors of the same
// names.
absl::Status AdoptTensors(const TensorMap& from, const std::string& path, TensorMap to);

}  // namespace seq2seq

#endif  // SEQ2SEQ_WEIGHTS_SAFETENSORS_H_
