// Safetensors files of named arrays: a length, a JSON header, the bytes. Python opens them with
// safetensors.torch.load_file, or safetensors.numpy.load_file.
#ifndef SEQ2SEQ_WEIGHTS_SAFETENSORS_H_
#define SEQ2SEQ_WEIGHTS_SAFETENSORS_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "seq2seq/weights/array.h"

namespace seq2seq {

// Limits for files from untrusted sources.
struct TensorFileLimits {
  int64_t header_bytes = 16 << 20;
  int64_t tensors = 100'000;
};

// Writes `arrays` to a file atomically.
absl::Status WriteArrays(const std::string& path, const ArrayMap& arrays);

// The same with bytes that need not be in memory at once: `arrays` gives types and shapes, and
// `load`, called once for each name as its turn comes, the array of that type and shape.
absl::Status WriteArraysOneByOne(const std::string& path, const ArrayMap& arrays,
                                 absl::FunctionRef<Array(const std::string& name)> load);

// Memory-maps a file: the arrays share a mapping that is freed with the last of them; writes to
// them are private to this process. The memory of an array is released with its last copy, and
// changes to it are lost. Costs milliseconds whatever the size. DataLoss, naming the file and the
// cause, if it is not a complete safetensors file within `limits`.
absl::StatusOr<ArrayMap> ReadArrays(const std::string& path, const TensorFileLimits& limits = {});

// DataLoss, naming `path` and the array, if one holds NaN or infinite numbers. Costs milliseconds
// for ten million.
absl::Status CheckFinite(const ArrayMap& arrays, const std::string& path);

}  // namespace seq2seq

#endif  // SEQ2SEQ_WEIGHTS_SAFETENSORS_H_
