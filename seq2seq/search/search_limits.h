// The most that one request may ask of search.
#ifndef SEQ2SEQ_SEARCH_SEARCH_LIMITS_H_
#define SEQ2SEQ_SEARCH_SEARCH_LIMITS_H_

#include <cstdint>

#include "absl/status/status.h"

#include "seq2seq/search/search_options.h"

namespace seq2seq {

// What is beyond is refused before any of it is computed. Time is bounded by an Interrupt, the
// memory of a batch by Translator::batch_scores.
struct SearchLimits {
  int64_t max_beam = 100;
  int64_t max_n_best = 100;
  int64_t max_subwords = 10'000;
  int64_t max_wishes = 10'000;
  int64_t max_constraints = 100;

  template <typename V>
  void Visit(V&& visit) {
    visit("max_beam", max_beam, "The largest beam.");
    visit("max_n_best", max_n_best, "The largest n_best: translations or samples of one text.");
    visit("max_subwords", max_subwords, "The largest max_length and min_length.");
    visit("max_wishes", max_wishes,
          "Bytes that prefix, constraints and forbidden words of one text have together.");
    visit("max_constraints", max_constraints, "Constraints of one text.");
  }
};

// InvalidArgument, naming the key and its value, if `limits` make no sense.
absl::Status Validate(const SearchLimits& limits);

// InvalidArgument, naming the key, its value and the limit, if `options` are wrong or beyond.
absl::Status Validate(const SearchOptions& options, const SearchLimits& limits);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SEARCH_LIMITS_H_
