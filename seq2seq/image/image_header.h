// Size of an image from the header of its file, without decoding.
#ifndef SEQ2SEQ_IMAGE_IMAGE_HEADER_H_
#define SEQ2SEQ_IMAGE_IMAGE_HEADER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seq2seq {

struct ImageHeader {
  uint32_t height = 0;
  uint32_t width = 0;

  uint64_t pixels() const { return uint64_t{height} * width; }
};

// Reads the size from the contents of a JPEG, PNG, WebP, BMP, TIFF or PNM file. InvalidArgument,
// without naming the file, if the format is unknown, the size is 0, or a JPEG, PNG or WebP file is
// cut off: decoders silently fill in what is missing. Costs microseconds, for a JPEG one pass over
// the file.
absl::StatusOr<ImageHeader> ReadImageHeader(absl::string_view contents);

}  // namespace seq2seq

#endif  // SEQ2SEQ_IMAGE_IMAGE_HEADER_H_
