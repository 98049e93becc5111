// Results of translation.
#ifndef SEQ2SEQ_SEARCH_CANDIDATE_H_
#define SEQ2SEQ_SEARCH_CANDIDATE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "seq2seq/search/hypothesis.h"

namespace seq2seq {

// Attention weights of a translation.
struct Alignment {
  std::vector<std::string> source;  // Subwords of the source and its end; empty for images.
  // [subword + 1, source], each row summing to 1; the last one is that of the end. Positions of an
  // image are in reading order.
  std::vector<std::vector<float>> weights;
};

// One translation of a sentence, generated or given.
struct Candidate {
  std::string text;
  TokenIds tokens;
  std::vector<std::string> subwords;  // Of the tokens.
  // Log-probabilities of the subwords and, last, of the end of sentence; with a language model, the
  // weighted sum of both.
  std::vector<double> token_scores;
  double log_probability = 0;  // Sum of token_scores, in nats.
  double score = 0;            // By which candidates are ranked.
  Alignment alignment;         // Empty unless SearchOptions::attention asks for it.
};

// The n-best list of a request, of at least one; or its error, which affects no other request.
using TranslationResult = absl::StatusOr<std::vector<Candidate>>;

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_CANDIDATE_H_
