// Tasks and results of search.
#ifndef SEQ2SEQ_SEARCH_HYPOTHESIS_H_
#define SEQ2SEQ_SEARCH_HYPOTHESIS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/search/interrupt.h"

namespace seq2seq {

using TokenIds = std::vector<int32_t>;

class ForbiddenWords;
class Vocabulary;

// What is required of the translation of a sentence. Objects that it points to must outlive it.
struct SearchTask {
  int64_t min_length = 0;
  int64_t max_length = 250;
  TokenIds prefix;                    // Forced prefix.
  std::vector<TokenIds> constraints;  // Lexical constraints: sequences that it contains.
  // Set if prefix and constraints match as whole words; else null.
  const Vocabulary* vocabulary = nullptr;
  bool whole_prefix = false;                  // Whether a word boundary must follow the prefix.
  const ForbiddenWords* forbidden = nullptr;  // Words that it does not contain; may be null.
  uint64_t seed = 0;                          // Of sampling, combined with that of the options.
  bool attention = false;                     // Whether to return attention weights.

  // Called with the beginning of the result whenever more of it is certain; in the end with all of
  // it, and `complete`, unless the sentence is interrupted.
  std::function<void(absl::Span<const int32_t> tokens, bool complete)> on_tokens;

  Interrupt interrupt = {};  // When to give up the sentence.
};

// A finished hypothesis.
struct Hypothesis {
  TokenIds tokens;  // Without beginning and end of sentence.
  // Log-probabilities of the tokens and, last, of the end of sentence.
  std::vector<double> token_scores;
  double log_probability = 0;  // Sum of token_scores.
  double score = 0;            // By which hypotheses are ranked.
  // Attention weights at each token and at the end of sentence: [source]. Empty unless requested.
  std::vector<std::shared_ptr<const std::vector<float>>> attention;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_HYPOTHESIS_H_
