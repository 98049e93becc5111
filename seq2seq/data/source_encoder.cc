#include "seq2seq/data/source_encoder.h"

#include "seq2seq/base/fingerprint.h"
#include "seq2seq/data/image_set.h"

namespace seq2seq {

SourceEncoder EncodeText(const Tokenizer& tokenizer) {
  Fingerprint identity;
  identity.Add(tokenizer.model());
  return {.encode = [tokenizer](const std::string& line) { return tokenizer.Encode(line); },
          .identity = identity.value()};
}

SourceEncoder EncodeImages(const ImageSet& images) {
  Fingerprint identity;
  for (int64_t image = 0; image < images.size(); ++image) {
    identity.Add(images.name(image));
    identity.AddValue(images.Find(images.name(image)).has_value());
  }
  const auto encode = [&images](const std::string& name) -> std::optional<std::vector<int32_t>> {
    const std::optional<int32_t> image = images.Find(name);
    if (!image) return std::nullopt;
    return std::vector<int32_t>{*image};
  };
  return {.encode = encode, .identity = identity.value(), .has_ratio = false};
}

SourceEncoder EncodeNothing() { return {}; }

}  // namespace seq2seq
