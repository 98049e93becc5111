#include "seq2seq/search/search_options.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/options.h"

namespace seq2seq {
namespace {

// Compares as doubles: a ratio may be too large for an integer.
int64_t AtMost(double subwords, int64_t most) {
  return subwords < static_cast<double>(most) ? static_cast<int64_t>(subwords) : most;
}

// The part of config.yaml that is about search.
struct ValidationSection {
  SearchOptions& validation;

  template <typename V>
  void Visit(V&& visit) {
    visit("validation", validation);
  }
};

}  // namespace

absl::Status Validate(const SearchOptions& options) {
  OptionRules rules;
  rules.Expect("beam", options.beam, options.beam >= 1 && options.beam <= 1000, "1 to 1000");
  if (options.sample) {
    rules.Expect("n_best", options.n_best, options.n_best >= 1 && options.n_best <= 1000,
                 "1 to 1000");
  } else {
    rules.Expect("n_best", options.n_best, options.n_best >= 1 && options.n_best <= options.beam,
                 absl::StrCat("1 to beam, which is ", options.beam));
  }
  rules.Expect("length_alpha", options.length_alpha, options.length_alpha >= 0, "0 or more");
  rules.Expect("length_reward", options.length_reward, std::isfinite(options.length_reward),
               "a finite number");
  rules.Expect("coverage_penalty", options.coverage_penalty,
               options.coverage_penalty >= 0 && std::isfinite(options.coverage_penalty),
               "0 or more");
  rules.Expect("max_length", options.max_length, options.max_length >= 1, "1 or more");
  rules.Expect("min_length", options.min_length,
               options.min_length >= 0 && options.min_length <= options.max_length,
               absl::StrCat("0 to max_length, which is ", options.max_length));
  rules.Expect("max_ratio", options.max_ratio, options.max_ratio > 0, "more than 0");
  rules.Expect("min_ratio", options.min_ratio,
               options.min_ratio >= 0 && options.min_ratio <= options.max_ratio,
               absl::StrCat("0 to max_ratio, which is ", options.max_ratio));
  rules.Expect(
      "groups", options.groups,
      options.groups >= 1 && options.groups <= options.beam && options.beam % options.groups == 0,
      absl::StrCat("a divisor of beam, which is ", options.beam));
  rules.Expect("diversity", options.diversity,
               options.diversity >= 0 && std::isfinite(options.diversity), "0 or more");
  rules.Expect("no_repeat_ngram", options.no_repeat_ngram, options.no_repeat_ngram >= 0,
               "0 or more");
  rules.Expect("language_model_weight", options.language_model_weight,
               options.language_model_weight >= 0 && options.language_model_weight <= 100,
               "0 to 100");
  rules.Expect("repetition_penalty", options.repetition_penalty,
               options.repetition_penalty >= 1 && std::isfinite(options.repetition_penalty),
               "1 or more");
  rules.Expect("temperature", options.temperature,
               options.temperature > 0 && std::isfinite(options.temperature), "more than 0");
  rules.Expect("top_k", options.top_k, options.top_k >= 0, "0 or more");
  rules.Expect("top_p", options.top_p, options.top_p > 0 && options.top_p <= 1,
               "more than 0, at most 1");
  rules.Expect("mbr_samples", options.mbr_samples,
               options.mbr_samples >= 1 && options.mbr_samples <= 1000, "1 to 1000");
  if (options.mbr != BayesMetric::kNone && options.sample) {
    rules.Expect("n_best", options.n_best, options.n_best <= options.mbr_samples,
                 absl::StrCat("at most mbr_samples, which is ", options.mbr_samples));
  }
  if (!options.keep.empty() && (options.groups > 1 || options.sample))
    return absl::InvalidArgumentError("keep cannot be combined with groups or sample");
  return rules.status();
}

SearchOptions CandidateOptions(const SearchOptions& options) {
  SearchOptions candidates = options;
  if (options.mbr != BayesMetric::kNone)
    candidates.n_best = options.sample ? options.mbr_samples : options.beam;
  return candidates;
}

absl::Status ReadSearchOptions(const std::string& path, SearchOptions& options) {
  ValidationSection section = {options};
  return ReadOptions(path, ListOptions(section), OtherSections::kIgnored);
}

int64_t MinLength(int64_t source_length, const SearchOptions& options) {
  const double relative = std::ceil(options.min_ratio * static_cast<double>(source_length));
  return std::max(options.min_length, AtMost(relative, options.max_length));
}

int64_t MaxLength(int64_t source_length, const SearchOptions& options) {
  const double relative = options.max_ratio * static_cast<double>(source_length) + 10;
  return std::max(MinLength(source_length, options), AtMost(relative, options.max_length));
}

}  // namespace seq2seq
