// Training of subword tokenizers.
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
  std::vector<std::string> input;  // Text, plain or compressed; of two languages for a joint model.
  std::string model;               // The file to write.
  TokenizerKind kind = TokenizerKind::kBpe;  // How subwords are chosen.
  int64_t vocab_size = 8000;        // Maximum; 4,000-8,000 for small corpora, 32,000 for large.
  double character_coverage = 1.0;  // Fraction of characters; 0.9995 for Chinese or Japanese.
  // nmt_nfkc, nfkc, nmt_nfkc_cf, nfkc_cf (case folded) or identity.
  std::string normalization = "nmt_nfkc";
  bool byte_fallback = false;  // 256 more subwords, which spell characters that are not covered.
  std::vector<std::string> symbols;    // Subwords that are never split, such as "<name>".
  int64_t max_sentences = 10'000'000;  // Maximum number of lines; a larger corpus is sampled.
};

// Trains a model and writes it atomically. The first four ids are pad, unk, bos and eos. Lines that
// are not UTF-8, or longer than 20,000 bytes, are skipped and counted in the log. Memory grows with
// the text: about 1 GB for 10 million lines.
absl::Status TrainTokenizer(const TokenizerTrainOptions& options);

}  // namespace seq2seq

#endif  // TOKENIZER_TRAIN_H_
