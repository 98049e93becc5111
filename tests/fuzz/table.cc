// A table of source<TAB>target, or of image<TAB>caption.
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/image_set.h"
#include "seq2seq/data/source_encoder.h"
#include "tests/fuzz/input.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

void Fuzz(const std::string& table) {
  static const TemporaryFolder folder;
  static const auto tokenizer = Tokenizer::Load(SEQ2SEQ_FUZZ_TOKENIZER);
  Require(tokenizer.ok(), tokenizer.status().ToString());
  const auto pairs =
      Corpus::Build({table}, EncodeText(*tokenizer), *tokenizer, {}, folder / "pairs");
  if (pairs.ok()) Require(pairs->size() == pairs->counts().kept(), "a pair is lost");
  const auto images = ImageSet::Open(folder.path(), {table});
  if (!images.ok()) return;
  Corpus::Build({table}, EncodeImages(*images), *tokenizer, {}, folder / "captions").IgnoreError();
}

}  // namespace
}  // namespace seq2seq

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  seq2seq::Fuzz(seq2seq::InputFile(data, size));
  return 0;
}
