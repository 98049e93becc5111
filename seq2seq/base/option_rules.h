// What values options may have.
#ifndef SEQ2SEQ_BASE_OPTION_RULES_H_
#define SEQ2SEQ_BASE_OPTION_RULES_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace seq2seq {

// Checks rules one by one and keeps the first that is broken.
//
//   OptionRules rules;
//   rules.Expect("beam", options.beam, options.beam >= 1, "1 or more");
//   return rules.status();  // InvalidArgument "beam: expected 1 or more, found 0"
class OptionRules {
 public:
  // `holds` tells whether `value` is as `expected` says in words.
  template <typename Value>
  void Expect(absl::string_view key, const Value& value, bool holds, absl::string_view expected) {
    if (holds || !status_.ok()) return;
    status_ =
        absl::InvalidArgumentError(absl::StrCat(key, ": expected ", expected, ", found ", value));
  }

  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_OPTION_RULES_H_
