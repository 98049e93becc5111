// An image file.
#include "seq2seq/image/image.h"

#include "seq2seq/image/image_library.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto library = seq2seq::OpenImageLibrary();
  seq2seq::Require(library.ok(), library.status().ToString());
  seq2seq::ImageOptions options;
  options.size = 8;
  const std::string path = seq2seq::InputFile(data, size);
  for (const double share : {0.0, 0.9}) {
    const seq2seq::Augmentation augmentation = {{share > 0, share, share}, size};
    seq2seq::ReadImage(path, options, augmentation).IgnoreError();
  }
  return 0;
}
