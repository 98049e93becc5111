// Checkpoints: weights, optimiser state and trainer state for exact resume.
#ifndef SEQ2SEQ_TRAIN_CHECKPOINT_H_
#define SEQ2SEQ_TRAIN_CHECKPOINT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "seq2seq/data/loader.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/model/parameters.h"

namespace seq2seq {

// The result of one validation.
struct Validation {
  int64_t update = 0;
  bool scheduled = true;  // Due by train.validate_every; false for the one at the end of training.
  double score = 0;       // Of the first metric of train.metric, negated where lower is better.
  std::map<std::string, double> metrics;  // "loss", "perplexity", "bleu", …
};

// The state of training other than tensors.
struct TrainerState {
  int64_t update = 0;             // Updates done.
  LoaderPosition position;        // Position of the next batch.
  double seconds = 0;             // Training time.
  uint64_t corpus = 0;            // Corpus::content of the training data.
  uint64_t valid = 0;             // The same for the validation data; 0 in older checkpoints.
  int64_t skipped = 0;            // Updates skipped for a NaN or infinite loss or gradient.
  int64_t skipped_in_a_row = 0;   // The same since the last update that was applied.
  int64_t recoveries = 0;         // Returns to an earlier checkpoint, by train.recoveries.
  double rate_share = 1;          // Factor on the learning rate, lowered by each recovery.
  int64_t batches_per_epoch = 0;  // Of the first epoch; 0 in older checkpoints.
  std::vector<Validation> validations;

  // The first validation with the highest score, or null.
  const Validation* Best() const;

  // Scores of the scheduled validations. Schedules and patience depend on these alone, so that a
  // run takes the same course whether it was interrupted or not.
  std::vector<double> ScheduledScores() const;

  // Scheduled validations since the best of them.
  int64_t SinceBest() const;
};

// The state as JSON, and back; DataLoss if `text` is not such a state. What older checkpoints lack
// gets its default.
std::string ToText(const TrainerState& state);
absl::StatusOr<TrainerState> ParseTrainerState(const std::string& text);

// The best validation by `metric`, a name of train.metric, whose checkpoint is stored in `run`; the
// first of equal ones, or null. By their scores if `metric` is empty.
const Validation* StoredBest(const RunFolder& run, const TrainerState& state,
                             const std::string& metric = "");

// Points the link `best` of `run` to the checkpoint of StoredBest, and where `metrics`, those of
// train.metric, are several, best-NAME to that of each; removes those where it is null.
absl::Status LinkBest(const RunFolder& run, const TrainerState& state,
                      const std::vector<std::string>& metrics = {});

// Points `latest` to the last checkpoint, if there is one, where the link is missing: after a crash
// during the first save, or in a copy without links.
absl::Status LinkLatest(const RunFolder& run);

// Removes all checkpoints of `run` but the best, also those by each of `metrics`, and the last
// `keep_last` up to state.update; later ones are obsolete once training continues from there. Any
// that cannot be removed stay until next time.
void RemoveSteps(const RunFolder& run, const TrainerState& state, int64_t keep_last,
                 const std::vector<std::string>& metrics = {});

// Saves a checkpoint: weights, optimiser state and trainer state. The folder is complete before it
// appears; then LinkBest and RemoveSteps are called, and `latest` leads to the new checkpoint.
absl::Status SaveCheckpoint(const RunFolder& run, const TrainerState& state,
                            const TensorMap& weights, const TensorMap& optimizer_state,
                            int64_t keep_last, const std::vector<std::string>& metrics = {});

// Copies the latest checkpoint into the tensors of `weights` and `optimizer_state`, which share
// storage with the model and the optimiser.
absl::StatusOr<TrainerState> LoadCheckpoint(const RunFolder& run, const TensorMap& weights,
                                            const TensorMap& optimizer_state);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_CHECKPOINT_H_
