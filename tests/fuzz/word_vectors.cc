// A text file of word vectors.
#include "seq2seq/weights/word_vectors.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "seq2seq/weights/array.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<std::string> subwords = {"<pad>", "\u2581the", "\u2581dog", "s",
                                             "\u2581New York"};
  const seq2seq::Array weight = seq2seq::Array::Empty(seq2seq::ArrayType::kFloat32, {5, 2});
  float* const begin = weight.values<float>();
  float* const end = begin + weight.size();
  std::fill(begin, end, 0.0f);
  const auto coverage =
      seq2seq::LoadWordVectors(seq2seq::InputFile(data, size), subwords, weight.matrix());
  if (coverage.ok()) seq2seq::Require(coverage->found <= coverage->words, "found too many");
  seq2seq::Require(std::all_of(begin, end, [](float value) { return std::isfinite(value); }),
                   "an infinite weight");
  return 0;
}
