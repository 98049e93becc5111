// Encoding of source lines in a corpus: to subwords, or to the number of an image.
#ifndef SEQ2SEQ_DATA_SOURCE_ENCODER_H_
#define SEQ2SEQ_DATA_SOURCE_ENCODER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace seq2seq {

class ImageSet;

// How the source lines of a corpus become ids. A value.
struct SourceEncoder {
  // The ids of a line, without eos; nullopt drops the pair, since its image is missing. Empty for
  // corpora of targets alone. Called by several threads at once.
  std::function<std::optional<std::vector<int32_t>>(const std::string& line)> encode;

  // A hash of everything that the ids depend on.
  uint64_t identity = 0;

  // Whether FilterOptions::max_ratio applies, so that caches depend on it.
  bool has_ratio = true;
};

// Text: the subwords of a line.
SourceEncoder EncodeText(const Tokenizer& tokenizer);

// Images: the number of the image in `images`, alone. Captions of images that are not in it, or
// were dropped, are dropped. `images` must outlive the encoder.
SourceEncoder EncodeImages(const ImageSet& images);

// No sources: files hold a target on each line. A language model's.
SourceEncoder EncodeNothing();

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_SOURCE_ENCODER_H_
