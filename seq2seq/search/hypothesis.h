// What search is asked, and what it finds.
#ifndef SEQ2SEQ_SEARCH_HYPOTHESIS_H_
#define SEQ2SEQ_SEARCH_HYPOTHESIS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "seq2seq/search/interrupt.h"

namespace seq2seq {

using TokenIds = std::vector<int32_t>;

class ForbiddenWords;
class Vocabulary;

// What is wanted of the translation of a sentence. What pointers name must outlive it.
struct SearchTask {
  int64_t min_length = 0;
  int64_t max_length = 250;
  TokenIds prefix;                    // What it begins with.
  std::vector<TokenIds> constraints;  // Sequences that it holds.
  // Of constraints that are held as whole words; else null.
  const Vocabulary* vocabulary = nullptr;
  bool whole_prefix = false;                  // Whether the prefix, too, ends with a whole word.
  const ForbiddenWords* forbidden = nullptr;  // What it does not hold; may be null.
  uint64_t seed = 0;                          // Of samples, besides that of the options.
  bool attention = false;                     // Whether to tell where each step looked.

  // Called with each token of the result as soon as it is certain, in greedy search and for the
  // first sample.
  std::function<void(int32_t token)> on_token;

  Interrupt interrupt = {};  // When the sentence is given up.
};

// A finished translation.
struct Hypothesis {
  TokenIds tokens;  // Without beginning and end of sentence.
  // The log-probability of each token and, last, of the end of sentence.
  std::vector<double> token_scores;
  double log_probability = 0;  // Their sum.
  double score = 0;            // What hypotheses are ranked by.
  // Where the step of each token, and of the end, looked: [source]. Empty unless asked for.
  std::vector<std::shared_ptr<const std::vector<float>>> attention;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_HYPOTHESIS_H_
