// A text file of word vectors.
#include "seq2seq/weights/word_vectors.h"

#include <string>
#include <vector>

#include <torch/torch.h>

#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<std::string> subwords = {"<pad>", "\u2581the", "\u2581dog", "s",
                                             "\u2581New York"};
  const torch::Tensor weight = torch::zeros({5, 2});
  const auto coverage = seq2seq::LoadWordVectors(seq2seq::InputFile(data, size), subwords, weight);
  if (coverage.ok()) seq2seq::Require(coverage->found <= coverage->words, "found too many");
  seq2seq::Require(weight.isfinite().all().item<bool>(), "an infinite weight");
  return 0;
}
