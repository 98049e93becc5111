#include "seq2seq/search/search_limits.h"

#include "absl/strings/str_cat.h"

#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {

absl::Status Validate(const SearchLimits& limits) {
  // So far below the largest integer that sums of several limits do not overflow.
  constexpr int64_t kMost = 1'000'000'000;
  OptionRules rules;
  const auto expect = [&](const char* key, int64_t value, int64_t least) {
    rules.Expect(key, value, value >= least && value <= kMost,
                 absl::StrCat(least, " to 1,000,000,000"));
  };
  expect("max_beam", limits.max_beam, 1);
  expect("max_n_best", limits.max_n_best, 1);
  expect("max_subwords", limits.max_subwords, 1);
  expect("max_wishes", limits.max_wishes, 0);
  expect("max_constraints", limits.max_constraints, 0);
  return rules.status();
}

absl::Status Validate(const SearchOptions& options, const SearchLimits& limits) {
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options));
  OptionRules rules;
  const auto expect = [&](const char* key, int64_t value, const char* name, int64_t limit) {
    rules.Expect(key, value, value <= limit, absl::StrCat("at most ", name, ", which is ", limit));
  };
  if (!options.sample) expect("beam", options.beam, "max_beam", limits.max_beam);
  expect("n_best", options.n_best, "max_n_best", limits.max_n_best);
  if (options.sample && options.mbr != BayesMetric::kNone)
    expect("mbr_samples", options.mbr_samples, "max_n_best", limits.max_n_best);
  expect("max_length", options.max_length, "max_subwords", limits.max_subwords);
  return rules.status();  // min_length is at most max_length.
}

}  // namespace seq2seq
