#include "seq2seq/train/train_options.h"

#include "absl/strings/str_cat.h"

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/train/validation_metrics.h"

namespace seq2seq {

absl::Status Validate(const FineTuneOptions& options) {
  OptionRules rules;
  rules.Expect("train.fine_tune.from", options.from, options.from >= 0, "0 or more");
  rules.Expect("train.fine_tune.rate", options.rate, options.rate > 0 && options.rate <= 1,
               "more than 0 and at most 1");
  return rules.status();
}

absl::Status Validate(const TrainOptions& options) {
  if (options.run.empty())
    return absl::InvalidArgumentError(
        "train.run: expected the path of a run folder, found nothing");
  OptionRules rules;
  rules.Expect("train.max_updates", options.max_updates, options.max_updates >= 0, "0 or more");
  rules.Expect("train.max_epochs", options.max_epochs, options.max_epochs >= 0, "0 or more");
  rules.Expect("train.max_minutes", options.max_minutes, options.max_minutes >= 0, "0 or more");
  rules.Expect("train.accumulate", options.accumulate, options.accumulate >= 1, "1 or more");
  rules.Expect("train.precision", EnumText(options.precision),
               options.precision != PrecisionChoice::kInt8,
               "auto, fp32 or bf16 (int8 is for decoding only)");
  rules.ExpectShare("train.label_smoothing", options.label_smoothing);
  rules.Expect("train.guided_alignment", options.guided_alignment,
               options.guided_alignment >= 0 && options.guided_alignment <= 100, "0 to 100");
  rules.Expect("train.sampled_softmax", options.sampled_softmax, options.sampled_softmax >= 0,
               "0 or more");
  rules.ExpectShare("train.average", options.average);
  rules.Expect("train.max_skipped", options.max_skipped, options.max_skipped >= 0, "0 or more");
  rules.Expect("train.recoveries", options.recoveries, options.recoveries >= 0, "0 or more");
  rules.Expect("train.recovery_rate", options.recovery_rate,
               options.recovery_rate > 0 && options.recovery_rate <= 1,
               "more than 0 and at most 1");
  rules.Expect("train.max_failed_saves", options.max_failed_saves, options.max_failed_saves >= 0,
               "0 or more");
  rules.Expect("train.report_every", options.report_every, options.report_every >= 1, "1 or more");
  rules.Expect("train.validate_every", options.validate_every, options.validate_every >= 1,
               "1 or more");
  rules.Expect("train.memory", options.memory, options.memory >= 0, "0 or more");
  rules.Expect("train.save_every", options.save_every, options.save_every >= 0, "0 or more");
  rules.Expect("train.patience", options.patience, options.patience >= 0, "0 or more");
  rules.Expect("train.samples", options.samples, options.samples >= 0, "0 or more");
  rules.Expect("train.keep_last", options.keep_last, options.keep_last >= 1, "1 or more");
  rules.Expect("train.metric_command", "nothing",
               options.metric_command.empty() != HaveCommand(options.metric),
               "a command where train.metric has command, and only there");
  // Between exchanges the processes have different weights.
  const int64_t sync_every = options.processes.sync_every;
  const auto expect_exchange = [&](const char* key, int64_t updates) {
    rules.Expect(key, updates, updates % sync_every == 0,
                 absl::StrCat("a multiple of train.processes.sync_every, ", sync_every));
  };
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options.processes));
  expect_exchange("train.max_updates", options.max_updates);
  expect_exchange("train.report_every", options.report_every);
  expect_exchange("train.validate_every", options.validate_every);
  expect_exchange("train.save_every", options.save_every);
  SEQ2SEQ_RETURN_IF_ERROR(rules.status());
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options.noise));
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options.reward));
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options.optimizer));
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options.schedule));
  SEQ2SEQ_RETURN_IF_ERROR(Validate(options.teacher_forcing));
  return Validate(options.fine_tune);
}

}  // namespace seq2seq
