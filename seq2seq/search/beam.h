// Beam search.
#ifndef SEQ2SEQ_SEARCH_BEAM_H_
#define SEQ2SEQ_SEARCH_BEAM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

#include "seq2seq/search/scorer.h"

namespace seq2seq {

enum class LengthNormalization { kNone, kAverage, kGnmt };

inline std::vector<std::string> EnumTexts(LengthNormalization) {
  return {"none", "average", "gnmt"};
}

struct BeamOptions {
  int64_t beam = 5;
  int64_t n_best = 1;
  LengthNormalization normalization = LengthNormalization::kAverage;
  double gnmt_alpha = 0.6;
  int64_t min_length = 0;
  int64_t max_length = 250;
  double max_ratio = 3.0;

  template <typename V>
  void Visit(V&& visit) {
    visit("beam", beam, "Hypotheses kept at each step; 1 is greedy search. Time grows with it.");
    visit("n_best", n_best, "Translations returned for each sentence, best first; at most `beam`.");
    visit("normalization", normalization,
          "How hypotheses of different length compare: by the sum of their log-probabilities, the "
          "mean, "
          "or as GNMT does.");
    visit("gnmt_alpha", gnmt_alpha,
          "gnmt divides by ((5 + length) / 6) to this power (Wu et al. 2016). Larger is longer.");
    visit("min_length", min_length, "Pieces that a translation has at least.");
    visit("max_length", max_length, "Pieces that a translation has at most.");
    visit("max_ratio", max_ratio, "And at most this many for each piece of the source, plus 10.");
  }
};

// InvalidArgument, naming the key and its value, if no search can be made with `options`.
absl::Status Validate(const BeamOptions& options);

// A finished translation.
struct Hypothesis {
  std::vector<int32_t> tokens;  // Without beginning and end of sentence.
  // The log-probability of each token and, last, of the end of sentence.
  std::vector<double> token_scores;
  double log_probability = 0;  // Their sum.
  double score = 0;            // The sum normalised by length: what hypotheses are ranked by.
};

// `log_probability` of `length` tokens, with the end of sentence, as `options` compare it.
double NormalizedScore(double log_probability, size_t length, const BeamOptions& options);

// The most tokens that search may give to a source of `source_length` pieces.
int64_t MaxLength(int64_t source_length, const BeamOptions& options);

// Searches translations of the sentences that `scorer` begins with; max_lengths[s] bounds the
// tokens of sentence s. Returns the n best of each, best first: at least one, and fewer than n only
// if there are no more.
//
// Each step takes the 2 x beam best continuations of a sentence's hypotheses. Those among the first
// `beam` that end are finished; the best `beam` that do not end live on. A sentence is done with
// `beam` finished hypotheses, and leaves the batch. At the maximal length every hypothesis is made
// to end, so one always does. Padding, beginning of sentence and unknown are never said. What a
// sentence becomes does not depend on its neighbours.
std::vector<std::vector<Hypothesis>> BeamSearch(Scorer& scorer,
                                                absl::Span<const int64_t> max_lengths,
                                                const BeamOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_BEAM_H_
