// Files of precomputed image features (.npy, .safetensors).
#ifndef SEQ2SEQ_IMAGE_FEATURE_FILE_H_
#define SEQ2SEQ_IMAGE_FEATURE_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

#include "seq2seq/image/image.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {

// Reads [position, channels], fp32, from a .npy file (version 1 to 3; float16, float32 or
// float64; little-endian, in C order) or from a .safetensors file with one tensor of the shape
// [position, channels] or, as networks output it, [channels, rows, columns]. Errors name the file
// and the cause: more than `max_values` numbers, or NaN or infinite ones, are refused.
absl::StatusOr<Array> ReadFeatures(const std::string& path, int64_t max_values = kMaxPixels);

}  // namespace seq2seq

#endif  // SEQ2SEQ_IMAGE_FEATURE_FILE_H_
