// PNG images.
#ifndef SEQ2SEQ_BASE_PNG_H_
#define SEQ2SEQ_BASE_PNG_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace seq2seq {

// A grey image as a PNG file; `pixels`, [height, width], has a byte for each, 255 being white.
std::string EncodeGreyPng(absl::string_view pixels, size_t height, size_t width);

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_PNG_H_
