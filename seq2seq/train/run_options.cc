#include "seq2seq/train/run_options.h"

#include "seq2seq/base/option_rules.h"

namespace seq2seq {

absl::Status Validate(const RunOptions& options) {
  OptionRules rules;
  rules.Expect("train.threads", options.threads, options.threads >= 0, "0 or more");
  return rules.status();
}

}  // namespace seq2seq
