// What a trainer reports: progress, validations and warnings, to the log, TensorBoard and hooks.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "seq2seq/base/status_macros.h"
#include "seq2seq/train/gradient.h"
#include "seq2seq/train/module_report.h"
#include "seq2seq/train/trainer.h"
#include "seq2seq/train/validation_loss.h"
#include "seq2seq/train/validation_metrics.h"

namespace seq2seq {
namespace {

// The score of a validation by a metric.
absl::StatusOr<double> ScoreOf(const std::string& metric,
                               const std::map<std::string, double>& metrics) {
  const auto found = metrics.find(metric);
  if (found != metrics.end()) return MetricScore(metric, found->second);
  return absl::InvalidArgumentError(absl::StrCat("train.metric: ", metric, " was not evaluated"));
}

}  // namespace

void Trainer::Warn(const std::string& warning) const {
  if (hooks_.on_warning) hooks_.on_warning(warning);
}

void Trainer::ShowOnBoard(absl::FunctionRef<absl::Status(TensorBoard&)> add) {
  if (!board_) return;
  const absl::Status status = add(*board_);
  if (!status.ok())
    Warn(absl::StrCat("train.tensorboard: ", status.message(), "; training continues"));
}

absl::Status Trainer::LogStart() {
  if (hooks_.facts.empty()) return absl::OkStatus();
  nlohmann::ordered_json line = {{"event", "start"}, {"update", state_.update}};
  line.update(nlohmann::ordered_json(hooks_.facts));
  return Log(line.dump());
}

absl::Status Trainer::Report() {
  const TrainingTime now = TimeAt(state_.update, state_.position);
  const auto updates = static_cast<double>(std::max<int64_t>(state_.update - first_update_, 1));
  if (IsLocal()) AddUpProgress();
  Progress progress = sums_.Means();
  if (group_ != nullptr) progress.processes = group_->size();
  progress.update = state_.update;
  progress.epoch = now.epoch;
  progress.learning_rate = CurrentRate(state_.update);
  progress.teacher_forcing = ForcingAt(options_.teacher_forcing, state_.update).rate;
  progress.skipped = state_.skipped;
  progress.seconds = state_.seconds;
  progress.remaining =
      RemainingSeconds(options_, state_, update_seconds() / updates, loader_->batches_per_epoch());
  sums_ = ProgressSums();
  std::map<std::string, ModuleReport> modules;
  if (options_.log_norms && IsFirst() && reported_batch_.target_tokens > 0)
    modules = ReportModules(model_, reported_batch_.To(device_));
  reported_batch_ = Batch();
  SEQ2SEQ_RETURN_IF_ERROR(Log(LogLine(progress, modules)));
  ShowOnBoard([&](TensorBoard& board) { return board.Add(progress); });
  if (hooks_.on_progress && IsFirst()) hooks_.on_progress(progress);
  return absl::OkStatus();
}

absl::Status Trainer::Validate() {
  // The gradients are those of the last update, until the evaluation frees them.
  ShowOnBoard([&](TensorBoard& board) { return board.AddHistograms(state_.update, parameters_); });
  Validation validation;
  validation.update = state_.update;
  validation.scheduled = state_.update % options_.validate_every == 0;
  SEQ2SEQ_ASSIGN_OR_RETURN(Evaluation evaluation, Evaluate());
  validation.metrics = std::move(evaluation.metrics);
  for (const std::string& metric : options_.metric)
    SEQ2SEQ_RETURN_IF_ERROR(ScoreOf(metric, validation.metrics).status());
  SEQ2SEQ_ASSIGN_OR_RETURN(validation.score, ScoreOf(options_.metric[0], validation.metrics));
  state_.validations.push_back(validation);

  nlohmann::ordered_json line = {
      {"event", "validation"}, {"update", state_.update}, {"seconds", state_.seconds}};
  line.update(nlohmann::ordered_json(validation.metrics));
  SEQ2SEQ_RETURN_IF_ERROR(Log(line.dump()));
  if (!evaluation.samples.empty()) {
    SEQ2SEQ_RETURN_IF_ERROR(Log(SamplesLine(state_.update, evaluation.samples)));
  }
  ShowOnBoard([&](TensorBoard& board) -> absl::Status {
    SEQ2SEQ_RETURN_IF_ERROR(board.Add(validation));
    if (evaluation.samples.empty()) return absl::OkStatus();
    return board.Add(state_.update, evaluation.samples);
  });
  if (hooks_.on_validation && IsFirst()) hooks_.on_validation(validation);
  return absl::OkStatus();
}

absl::StatusOr<Trainer::Evaluation> Trainer::Evaluate() {
  model_->eval();
  DropGradients(parameters_);  // They would take memory that validation needs.
  if (group_ != nullptr) KeepReplicasEqual();
  const AverageInPlace average(average_);
  const RoundedInPlace rounded(rounded_);
  Evaluation evaluation;
  for (const ValidationSet& set : valid_) {
    SEQ2SEQ_ASSIGN_OR_RETURN(
        const auto losses,
        ValidationLoss(model_, device_, *set.corpus, buckets_, hooks_.examples, memory_, group_));
    for (const auto& [name, value] : losses)
      evaluation.metrics.emplace(valid_.Prefix(set) + name, value);
  }
  if (hooks_.evaluate) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const auto evaluated, hooks_.evaluate(model_));
    evaluation.metrics.insert(evaluated.begin(), evaluated.end());
  }
  if (hooks_.sample && IsFirst()) {
    SEQ2SEQ_ASSIGN_OR_RETURN(evaluation.samples, hooks_.sample(model_));
  }
  for (const auto& [name, value] : evaluation.metrics) {
    if (!std::isfinite(value)) {
      return absl::InternalError(
          absl::StrCat("validation after update ", state_.update, ": ", name, " is ", value));
    }
  }
  return evaluation;
}

}  // namespace seq2seq
