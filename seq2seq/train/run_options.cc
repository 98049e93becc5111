#include "seq2seq/train/run_options.h"

#include "seq2seq/base/option_rules.h"

namespace seq2seq {

absl::Status Validate(const RunOptions& options) {
  OptionRules rules;
  rules.Expect("train.teacher_weight", options.teacher_weight,
               options.teacher_weight >= 0 && options.teacher_weight <= 1, "0 to 1");
  rules.Expect("train.teacher_temperature", options.teacher_temperature,
               options.teacher_temperature > 0, "more than 0");
  rules.Expect("train.threads", options.threads, options.threads >= 0, "0 or more");
  return rules.status();
}

}  // namespace seq2seq
