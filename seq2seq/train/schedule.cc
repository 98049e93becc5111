#include "seq2seq/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "seq2seq/base/option_rules.h"

namespace seq2seq {
namespace {

constexpr double kPi = 3.14159265358979323846;

// How often `scores` went more than `patience` validations without a new best, each counted anew.
int64_t Reductions(absl::Span<const double> scores, int64_t patience) {
  double best = -std::numeric_limits<double>::infinity();
  int64_t waited = 0;
  int64_t reductions = 0;
  for (const double score : scores) {
    if (score > best) {
      best = score;
      waited = 0;
    } else if (++waited > patience) {
      ++reductions;
      waited = 0;
    }
  }
  return reductions;
}

}  // namespace

absl::Status Validate(const RateScheduleOptions& options) {
  OptionRules rules;
  rules.Expect("train.schedule.patience", options.patience, options.patience >= 0, "0 or more");
  rules.Expect("train.schedule.learning_rate", options.learning_rate, options.learning_rate > 0,
               "more than 0");
  for (const auto& [key, duration] :
       {std::pair("train.schedule.warmup", options.warmup),
        std::pair("train.schedule.length", options.length),
        std::pair("train.schedule.decay_every", options.decay_every)}) {
    rules.Expect(key, duration.Text(), duration.count >= 0, Duration::kWanted);
  }
  rules.Expect("train.schedule.floor", options.floor, options.floor >= 0 && options.floor <= 1,
               "0 to 1");
  rules.Expect("train.schedule.decay", options.decay, options.decay > 0 && options.decay <= 1,
               "more than 0 and at most 1");
  return rules.status();
}

double LearningRate(const RateScheduleOptions& options, const TrainingTime& now,
                    absl::Span<const double> scores) {
  const double warm = options.warmup.Passed(now);
  const double rate = options.learning_rate * std::min(1.0, warm);
  const double passed = std::min(1.0, options.length.Passed(now));
  switch (options.kind) {
    case RateScheduleKind::kInverseSqrt:
      return rate * std::min(1.0, std::sqrt(1 / warm));
    case RateScheduleKind::kPlateau:
      return rate *
             std::pow(options.decay, static_cast<double>(Reductions(scores, options.patience)));
    case RateScheduleKind::kConstant:
      return rate;
    case RateScheduleKind::kLinear:
      return rate * (1 - (1 - options.floor) * passed);
    case RateScheduleKind::kCosine:
      return rate * (options.floor + (1 - options.floor) * (1 + std::cos(kPi * passed)) / 2);
    case RateScheduleKind::kExponential:
      return rate * std::pow(options.decay, options.decay_every.Passed(now));
    case RateScheduleKind::kStep:
      return rate * std::pow(options.decay, std::floor(options.decay_every.Passed(now)));
  }
  return rate;
}

absl::Status Validate(const ForcingScheduleOptions& options) {
  OptionRules rules;
  rules.Expect("train.teacher_forcing.start", options.start,
               options.start >= 0 && options.start <= 1, "0 to 1");
  rules.Expect("train.teacher_forcing.floor", options.floor,
               options.floor >= 0 && options.floor <= 1, "0 to 1");
  rules.Expect("train.teacher_forcing.decay", options.decay, options.decay >= 0, "0 or more");
  rules.Expect("train.teacher_forcing.decay", options.decay,
               options.kind != ForcingScheduleKind::kExponential || options.decay <= 1,
               "at most 1 for exponential");
  rules.Expect("train.teacher_forcing.decay", options.decay,
               options.kind != ForcingScheduleKind::kInverseSigmoid || options.decay >= 1,
               "1 or more for inverse_sigmoid");
  return rules.status();
}

TeacherForcing ForcingAt(const ForcingScheduleOptions& options, int64_t update) {
  const auto now = static_cast<double>(update);
  double rate = options.start;
  switch (options.kind) {
    case ForcingScheduleKind::kConstant:
      break;
    case ForcingScheduleKind::kLinear:
      rate -= options.decay * now;
      break;
    case ForcingScheduleKind::kExponential:
      rate *= std::pow(options.decay, now);
      break;
    case ForcingScheduleKind::kInverseSigmoid:
      rate *= options.decay / (options.decay + std::exp(now / options.decay));
      break;
  }
  return {std::max(rate, options.floor), options.scope, options.predicted, options.form};
}

}  // namespace seq2seq
