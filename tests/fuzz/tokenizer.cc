// A SentencePiece model.
#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto tokenizer = seq2seq::Tokenizer::Load(seq2seq::InputFile(data, size));
  if (!tokenizer.ok()) return 0;
  tokenizer->EncodeNBest("der Hund", 3).IgnoreError();
  tokenizer->Sample({"ein Hund", "<a> \xff"}, 0.5, 1);
  std::vector<int32_t> ids = tokenizer->Encode("Der Hund <a>\tla\xcc\x88uft \xe6\x97\xa5\xff.");
  for (const int32_t id : ids) seq2seq::Require(id >= 0 && id < tokenizer->size(), "unknown id");
  tokenizer->Decode(ids);
  ids.resize(static_cast<size_t>(std::min<int64_t>(tokenizer->size(), 1000)));
  std::iota(ids.begin(), ids.end(), 0);
  tokenizer->Decode(ids);
  tokenizer->Subwords(ids);
  return 0;
}
