// Features of an image in a file of their own.
#ifndef SEQ2SEQ_MODEL_FEATURE_FILE_H_
#define SEQ2SEQ_MODEL_FEATURE_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include <torch/types.h>

namespace seq2seq {

// Reads [place, channels], floats, from a .npy file (version 1 to 3; float16, float32 or float64;
// little-endian, in C order) or from a .safetensors file with one tensor: of the shape [place,
// channels], or [channels, rows, columns] as networks give it. Errors name the file and what is
// wrong with it.
absl::StatusOr<torch::Tensor> ReadFeatures(const std::string& path);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_FEATURE_FILE_H_
