#include "seq2seq/train/bounds.h"

#include <algorithm>
#include <vector>

namespace seq2seq {

std::string Text(StopReason reason) {
  switch (reason) {
    case StopReason::kMaxUpdates:
      return "train.max_updates reached";
    case StopReason::kMaxEpochs:
      return "train.max_epochs reached";
    case StopReason::kMaxMinutes:
      return "train.max_minutes reached";
    case StopReason::kPatience:
      return "no improvement in train.patience validations";
    case StopReason::kRequested:
      return "stopped on request";
  }
  return "";
}

std::optional<StopReason> ReachedBound(const TrainOptions& options, const TrainerState& state) {
  if (options.max_updates > 0 && state.update >= options.max_updates)
    return StopReason::kMaxUpdates;
  if (options.max_epochs > 0 && state.position.epoch >= options.max_epochs)
    return StopReason::kMaxEpochs;
  if (options.max_minutes > 0 && state.seconds >= 60 * options.max_minutes)
    return StopReason::kMaxMinutes;
  if (options.patience > 0 && state.SinceBest() >= options.patience) return StopReason::kPatience;
  return std::nullopt;
}

double RemainingSeconds(const TrainOptions& options, const TrainerState& state,
                        double seconds_per_update, int64_t batches_per_epoch) {
  std::vector<double> remaining;
  if (options.max_updates > 0) {
    remaining.push_back(static_cast<double>(options.max_updates - state.update) *
                        seconds_per_update);
  }
  if (options.max_epochs > 0) {
    const int64_t batches =
        (options.max_epochs - state.position.epoch) * batches_per_epoch - state.position.batch;
    remaining.push_back(static_cast<double>(batches / options.accumulate) * seconds_per_update);
  }
  if (options.max_minutes > 0) remaining.push_back(60 * options.max_minutes - state.seconds);
  if (remaining.empty()) return 0;
  return std::max(0.0, *std::min_element(remaining.begin(), remaining.end()));
}

}  // namespace seq2seq
