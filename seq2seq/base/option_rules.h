// Validation of option values.
#ifndef SEQ2SEQ_BASE_OPTION_RULES_H_
#define SEQ2SEQ_BASE_OPTION_RULES_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace seq2seq {

// Checks rules one by one and keeps the first violation.
//
//   OptionRules rules;
//   rules.Expect("beam", options.beam, options.beam >= 1, "1 or more");
//   return rules.status();  // InvalidArgument "beam: expected 1 or more, found 0"
class OptionRules {
 public:
  // `holds` is whether `value` is allowed; `expected` describes the allowed values.
  template <typename Value>
  void Expect(absl::string_view key, const Value& value, bool holds, absl::string_view expected) {
    if (holds || !status_.ok()) return;
    status_ =
        absl::InvalidArgumentError(absl::StrCat(key, ": expected ", expected, ", found ", value));
  }

  // A size of a model: embedding, hidden state, layers, vocabulary.
  void ExpectSize(absl::string_view key, int64_t value) {
    Expect(key, value, value >= 1 && value <= 10'000'000, "1 to 10,000,000");
  }

  // A fraction below 1: dropout rate, decay of a moving average, label smoothing.
  void ExpectShare(absl::string_view key, double value) {
    Expect(key, value, value >= 0 && value < 1, "0 or more and less than 1");
  }

  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_OPTION_RULES_H_
