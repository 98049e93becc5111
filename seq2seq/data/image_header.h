// What the file of an image says of itself before it is decoded.
#ifndef SEQ2SEQ_DATA_IMAGE_HEADER_H_
#define SEQ2SEQ_DATA_IMAGE_HEADER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seq2seq {

struct ImageHeader {
  uint32_t height = 0;
  uint32_t width = 0;

  uint64_t pixels() const { return uint64_t{height} * width; }
};

// Looks up the size in the contents of a JPEG, PNG, WebP, BMP, TIFF or PNM file. InvalidArgument,
// without naming the file, if they are something else or of no size, or if a JPEG, PNG or WebP file
// is cut off: decoders fill up what is missing without telling. Costs microseconds, for a JPEG one
// pass over the file.
absl::StatusOr<ImageHeader> ReadImageHeader(absl::string_view contents);

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_IMAGE_HEADER_H_
