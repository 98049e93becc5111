#include "seq2seq/source/source.h"

#include <utility>

#include "seq2seq/source/image_source.h"
#include "seq2seq/source/no_source.h"
#include "seq2seq/source/text_source.h"

namespace seq2seq {

std::unique_ptr<Source> MakeSource(const SourceOptions& options, std::optional<Tokenizer> source,
                                   const Tokenizer& target) {
  switch (options.kind) {
    case SourceKind::kText:
      return std::make_unique<TextSource>(*std::move(source));
    case SourceKind::kImage:
      return std::make_unique<ImageSource>(options.image, options.features, options.max_pixels);
    case SourceKind::kNone:
      return std::make_unique<NoSource>(target);
  }
  return nullptr;
}

}  // namespace seq2seq
