#include "seq2seq/train/train_options.h"

#include <utility>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/option_rules.h"

namespace seq2seq {

absl::Status Validate(const TrainOptions& options) {
  if (options.run.empty())
    return absl::InvalidArgumentError(
        "train.run: expected the path of a run folder, found nothing");
  OptionRules rules;
  const ForcingScheduleOptions& forcing = options.teacher_forcing;
  rules.Expect("train.threads", options.threads, options.threads >= 0, "0 or more");
  rules.Expect("train.max_updates", options.max_updates, options.max_updates >= 0, "0 or more");
  rules.Expect("train.max_epochs", options.max_epochs, options.max_epochs >= 0, "0 or more");
  rules.Expect("train.max_minutes", options.max_minutes, options.max_minutes >= 0, "0 or more");
  rules.Expect("train.accumulate", options.accumulate, options.accumulate >= 1, "1 or more");
  rules.Expect("train.precision", EnumText(options.precision),
               options.precision != PrecisionChoice::kInt8,
               "auto, fp32 or bf16 (int8 is for decoding only)");
  rules.ExpectShare("train.label_smoothing", options.label_smoothing);
  rules.ExpectShare("train.optimizer.beta1", options.optimizer.beta1);
  rules.ExpectShare("train.optimizer.beta2", options.optimizer.beta2);
  rules.Expect("train.optimizer.clip_norm", options.optimizer.clip_norm,
               options.optimizer.clip_norm >= 0, "0 or more");
  rules.Expect("train.optimizer.epsilon", options.optimizer.epsilon, options.optimizer.epsilon > 0,
               "more than 0");
  rules.Expect("train.optimizer.weight_decay", options.optimizer.weight_decay,
               options.optimizer.weight_decay >= 0, "0 or more");
  rules.ExpectShare("train.optimizer.momentum", options.optimizer.momentum);
  rules.Expect("train.optimizer.momentum", options.optimizer.momentum,
               options.optimizer.momentum == 0 || options.optimizer.kind == OptimizerKind::kSgd ||
                   options.optimizer.kind == OptimizerKind::kRmsprop,
               "0 unless kind is sgd or rmsprop");
  rules.Expect("train.optimizer.lazy", options.optimizer.lazy ? "true" : "false",
               !options.optimizer.lazy || options.optimizer.kind == OptimizerKind::kAdam ||
                   options.optimizer.kind == OptimizerKind::kAdamW,
               "false unless kind is adam or adamw");
  rules.Expect("train.optimizer.nesterov", options.optimizer.nesterov ? "true" : "false",
               !options.optimizer.nesterov || (options.optimizer.kind == OptimizerKind::kSgd &&
                                               options.optimizer.momentum > 0),
               "false unless kind is sgd, with momentum");
  rules.Expect("train.optimizer.l2", options.optimizer.l2, options.optimizer.l2 >= 0, "0 or more");
  rules.Expect("train.optimizer.l2_recurrent", options.optimizer.l2_recurrent,
               options.optimizer.l2_recurrent >= 0, "0 or more");
  rules.Expect("train.optimizer.clip_value", options.optimizer.clip_value,
               options.optimizer.clip_value >= 0, "0 or more");
  rules.Expect("train.schedule.patience", options.schedule.patience, options.schedule.patience >= 0,
               "0 or more");
  rules.Expect("train.schedule.rate", options.schedule.rate, options.schedule.rate > 0,
               "more than 0");
  for (const auto& [key, duration] : {std::pair("train.schedule.warmup", options.schedule.warmup),
                                      std::pair("train.schedule.length", options.schedule.length),
                                      std::pair("train.schedule.every", options.schedule.every)}) {
    rules.Expect(key, duration.Text(), duration.count >= 0, Duration::kWanted);
  }
  rules.Expect("train.schedule.floor", options.schedule.floor,
               options.schedule.floor >= 0 && options.schedule.floor <= 1, "0 to 1");
  rules.Expect("train.schedule.decay", options.schedule.decay,
               options.schedule.decay > 0 && options.schedule.decay <= 1,
               "more than 0 and at most 1");
  rules.Expect("train.teacher_forcing.start", forcing.start,
               forcing.start >= 0 && forcing.start <= 1, "0 to 1");
  rules.Expect("train.teacher_forcing.floor", forcing.floor,
               forcing.floor >= 0 && forcing.floor <= 1, "0 to 1");
  rules.Expect("train.teacher_forcing.decay", forcing.decay, forcing.decay >= 0, "0 or more");
  rules.Expect("train.teacher_forcing.decay", forcing.decay,
               forcing.kind != ForcingScheduleKind::kExponential || forcing.decay <= 1,
               "at most 1 for exponential");
  rules.Expect("train.teacher_forcing.decay", forcing.decay,
               forcing.kind != ForcingScheduleKind::kInverseSigmoid || forcing.decay >= 1,
               "1 or more for inverse_sigmoid");
  rules.Expect("train.fine_tune.from", options.fine_tune.from, options.fine_tune.from >= 0,
               "0 or more");
  rules.Expect("train.fine_tune.rate", options.fine_tune.rate,
               options.fine_tune.rate > 0 && options.fine_tune.rate <= 1,
               "more than 0 and at most 1");
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
  rules.Expect("train.keep_last", options.keep_last, options.keep_last >= 1, "1 or more");
  return rules.status();
}

}  // namespace seq2seq
