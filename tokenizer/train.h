// Learning a tokenizer model from text.
#ifndef TOKENIZER_TRAIN_H_
#define TOKENIZER_TRAIN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace seq2seq {

enum class TokenizerKind { kBpe, kUnigram, kChar, kWord };

inline std::vector<std::string> EnumTexts(TokenizerKind) {
  return {"bpe", "unigram", "char", "word"};
}

struct TokenizerTrainOptions {
  std::vector<std::string> input;  // Text files, plain or gzip; of two languages for a joint model.
  std::string model;               // The file to write.
  TokenizerKind kind = TokenizerKind::kBpe;  // How pieces are chosen.
  int64_t vocab_size = 8000;  // Pieces at most; 4,000-8,000 for small corpora, 32,000 for large.
  double character_coverage = 1.0;  // Share of characters to know; 0.9995 for Chinese or Japanese.
  // nmt_nfkc, nfkc, nmt_nfkc_cf, nfkc_cf (case folded) or identity.
  std::string normalization = "nmt_nfkc";
  std::vector<std::string> symbols;    // Pieces that are never split, such as "<name>".
  int64_t max_sentences = 10'000'000;  // Lines to learn from; a larger corpus is sampled.
};

// Learns a model and writes it as a whole or not at all. The first four ids are pad, unk, bos and
// eos. Lines that are not UTF-8 are passed over and counted in the log. Memory grows with the text:
// about 1 GB for 10 million lines.
absl::Status TrainTokenizer(const TokenizerTrainOptions& options);

}  // namespace seq2seq

#endif  // TOKENIZER_TRAIN_H_
