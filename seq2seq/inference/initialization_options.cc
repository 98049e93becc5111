#include "seq2seq/inference/initialization_options.h"

#include "seq2seq/base/option_rules.h"

namespace seq2seq {

absl::Status Validate(const InitializationOptions& options) {
  OptionRules rules;
  rules.Expect("model.initialization.range", options.range,
               options.range > 0 && options.range <= 10, "more than 0 and at most 10");
  rules.Expect("model.initialization.forget_bias", options.forget_bias,
               options.forget_bias >= -10 && options.forget_bias <= 10, "-10 to 10");
  return rules.status();
}

}  // namespace seq2seq
