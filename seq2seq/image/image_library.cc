#include "seq2seq/image/image_library.h"

#include "absl/status/status.h"

#if SEQ2SEQ_IMAGES
#include <dlfcn.h>

#include "absl/strings/str_cat.h"
#endif

namespace seq2seq {
namespace {

absl::StatusOr<const ImageLibrary*> Open() {
#if SEQ2SEQ_IMAGES
  void* module = dlopen(SEQ2SEQ_IMAGE_MODULE, RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("cannot open the image module, of the package seq2seq-images: ", dlerror()));
  }
  const auto get_library =
      reinterpret_cast<decltype(&seq2seq_images)>(dlsym(module, "seq2seq_images"));
  if (get_library == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("the image module is not of this version: ", dlerror()));
  }
  return get_library();
#else
  return absl::UnimplementedError("this build has no image support: build with SEQ2SEQ_IMAGES=ON");
#endif
}

}  // namespace

absl::StatusOr<const ImageLibrary*> OpenImageLibrary() {
  static const auto library = Open();
  return library;
}

}  // namespace seq2seq
