// Parameters of modules as named tensors, their files, and conversion to and from plain arrays.
#ifndef SEQ2SEQ_MODEL_PARAMETERS_H_
#define SEQ2SEQ_MODEL_PARAMETERS_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <torch/nn/module.h>
#include <torch/types.h>

#include "seq2seq/weights/array.h"
#include "seq2seq/weights/safetensors.h"

namespace seq2seq {

// Tensors by name.
using TensorMap = std::map<std::string, torch::Tensor>;

// The parameters of `module`, by their dotted names. They share memory with it.
TensorMap Parameters(const torch::nn::Module& module);

// Copies the tensors of `from` into those of the same names in `to`. InvalidArgument, naming `path`
// and the tensor, if one is missing, left over, or of another shape; then nothing is copied.
absl::Status AssignTensors(const TensorMap& from, const std::string& path, TensorMap to);

// The same without copying: the parameters `to` take over the data of the tensors of the same
// names.
absl::Status AdoptTensors(const TensorMap& from, const std::string& path, TensorMap to);

// The tensor as an array of the same type that shares its bytes and keeps them alive; a copy if it
// is not contiguous or not on the CPU.
Array ToArray(const torch::Tensor& tensor);

// The same for each tensor.
ArrayMap ToArrays(const TensorMap& tensors);

// The arrays as tensors on the CPU that share their bytes and keep them alive.
TensorMap ToTensors(const ArrayMap& arrays);

// Writes `tensors` to a safetensors file atomically. Tensors may be on any device, of any layout;
// those that ToArrays would copy are copied one at a time.
absl::Status WriteTensors(const std::string& path, const TensorMap& tensors);

// The arrays of a safetensors file, see ReadArrays, as tensors.
absl::StatusOr<TensorMap> ReadTensors(const std::string& path, const TensorFileLimits& limits = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_PARAMETERS_H_
