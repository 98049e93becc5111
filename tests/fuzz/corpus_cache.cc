// An encoded corpus.
#include "seq2seq/data/corpus.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto corpus = seq2seq::Corpus::Open(seq2seq::InputFile(data, size));
  if (!corpus.ok()) return 0;
  volatile int64_t sum = 0;
  for (int64_t pair = 0; pair < corpus->size(); ++pair) {
    const seq2seq::Example example = (*corpus)[pair];
    for (const int32_t token : example.source) sum = sum + token;
    for (const int32_t token : example.target) sum = sum + token;
  }
  return 0;
}
