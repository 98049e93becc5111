// Loading of the image module at run time.
#ifndef SEQ2SEQ_IMAGE_IMAGE_LIBRARY_H_
#define SEQ2SEQ_IMAGE_IMAGE_LIBRARY_H_

#include "absl/status/statusor.h"

#include "seq2seq/image/image_module.h"

namespace seq2seq {

// Opens the module at the first call. Unimplemented in a build without images; NotFound, with the
// system's reason, if the module cannot be opened. Thread-safe.
absl::StatusOr<const ImageLibrary*> OpenImageLibrary();

}  // namespace seq2seq

#endif  // SEQ2SEQ_IMAGE_IMAGE_LIBRARY_H_
