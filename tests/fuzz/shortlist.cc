// A lexical shortlist.
#include "seq2seq/search/shortlist.h"

#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr int64_t kVocab = 2000;
  const auto shortlist = seq2seq::Shortlist::Load(seq2seq::InputFile(data, size), 6, kVocab);
  if (!shortlist.ok()) return 0;
  const std::vector<int32_t> source = {0, 1, 2, 3, 4, 5};
  for (const int32_t token : shortlist->Tokens(source, {4})) {
    seq2seq::Require(token >= 0 && token < kVocab, "unknown token");
  }
  return 0;
}
