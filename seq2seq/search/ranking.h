// Ranking of hypotheses: length normalisation and coverage penalty.
#ifndef SEQ2SEQ_SEARCH_RANKING_H_
#define SEQ2SEQ_SEARCH_RANKING_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/search_options.h"

namespace seq2seq {

// The score after length normalisation by `options`: `total` is the sum of log-probabilities of
// `length` tokens, end of sentence included.
double NormalizedScore(double total, int64_t length, const SearchOptions& options);

// An upper bound on NormalizedScore for a hypothesis with `total` so far that ends with at least
// `shortest` and at most `longest` tokens: further log-probabilities are at most 0.
double HighestScore(double total, int64_t shortest, int64_t longest, const SearchOptions& options);

// Coverage penalty: sum of log(min(coverage, 1)) over the source positions, where `coverage` is the
// sum of attention weights over the time steps (Wu et al. 2016, equation 14). 0 if all positions
// are covered, else negative.
double CoverageScore(absl::Span<const float> coverage);

// Sorts by score, best first; equal ones keep their order.
void Rank(std::vector<Hypothesis>& hypotheses);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_RANKING_H_
