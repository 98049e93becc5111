// How hypotheses of different lengths compare.
#ifndef SEQ2SEQ_SEARCH_RANKING_H_
#define SEQ2SEQ_SEARCH_RANKING_H_

#include <cstdint>

#include "absl/types/span.h"

#include "seq2seq/search/search_options.h"

namespace seq2seq {

// `total`, a sum of log-probabilities over `length` tokens with the end of sentence, as `options`
// normalise it.
double NormalizedScore(double total, int64_t length, const SearchOptions& options);

// The most that NormalizedScore may become of a hypothesis with `total` that ends with at least
// `shortest` and at most `longest` tokens: log-probabilities to come are at most 0.
double HighestScore(double total, int64_t shortest, int64_t longest, const SearchOptions& options);

// Sum of log(min(looked, 1)) over the places of a source, `looked` being the sum of the shares of
// attention over the steps (Wu et al. 2016, equation 14). 0 where all places are covered, else
// less.
double CoverageScore(absl::Span<const float> looked);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_RANKING_H_
