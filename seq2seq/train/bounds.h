// Bounds of training: when it stops, and the time until then.
#ifndef SEQ2SEQ_TRAIN_BOUNDS_H_
#define SEQ2SEQ_TRAIN_BOUNDS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "seq2seq/train/checkpoint.h"
#include "seq2seq/train/train_options.h"

namespace seq2seq {

enum class StopReason { kMaxUpdates, kMaxEpochs, kMaxMinutes, kPatience, kRequested };

// A readable text, such as "train.max_updates reached".
std::string Text(StopReason reason);

// The first bound of `options` that training in `state` has reached; nullopt if none.
std::optional<StopReason> ReachedBound(const TrainOptions& options, const TrainerState& state);

// The estimated seconds until training in `state` reaches train.max_updates, max_epochs or
// max_minutes, whichever is first, at a rate of `seconds_per_update`; 0 without these bounds.
double RemainingSeconds(const TrainOptions& options, const TrainerState& state,
                        double seconds_per_update, int64_t batches_per_epoch);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_BOUNDS_H_
