#include "seq2seq/train/process_options.h"

#include "seq2seq/base/option_rules.h"

namespace seq2seq {

absl::Status Validate(const ProcessOptions& options) {
  OptionRules rules;
  rules.Expect("train.processes.timeout", options.timeout,
               options.timeout >= 1 && options.timeout <= 86400, "1 to 86400");
  rules.Expect("train.processes.sync_every", options.sync_every, options.sync_every >= 1,
               "1 or more");
  return rules.status();
}

}  // namespace seq2seq
