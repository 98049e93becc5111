// Limits on what one request may ask of search.
#ifndef SEQ2SEQ_SEARCH_SEARCH_LIMITS_H_
#define SEQ2SEQ_SEARCH_SEARCH_LIMITS_H_

#include <cstdint>

#include "absl/status/status.h"

#include "seq2seq/search/search_options.h"

namespace seq2seq {

// A request beyond them is refused before any computation. Time is bounded by an Interrupt, the
// memory of a batch by TranslatorOptions::batch_scores.
struct SearchLimits {
  int64_t max_beam = 100;
  int64_t max_n_best = 100;
  int64_t max_subwords = 10'000;
  int64_t max_wishes = 10'000;
  int64_t max_constraints = 100;

  template <typename V>
  void Visit(V&& visit) {
    visit("max_beam", max_beam, "The largest beam size.");
    visit("max_n_best", max_n_best, "The largest n_best: translations or samples of one text.");
    visit("max_subwords", max_subwords, "The largest max_length and min_length, in subwords.");
    visit("max_wishes", max_wishes,
          "The largest size of prefix, constraints and forbidden words of one text together, in "
          "bytes.");
    visit("max_constraints", max_constraints, "The largest number of constraints of one text.");
  }
};

// InvalidArgument, naming the key and its value, if a limit is out of range.
absl::Status Validate(const SearchLimits& limits);

// InvalidArgument, naming the key, its value and the limit, if `options` are invalid or exceed it.
absl::Status Validate(const SearchOptions& options, const SearchLimits& limits);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SEARCH_LIMITS_H_
