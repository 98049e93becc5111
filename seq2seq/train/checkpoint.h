// What training needs to go on exactly where it was.
#ifndef SEQ2SEQ_TRAIN_CHECKPOINT_H_
#define SEQ2SEQ_TRAIN_CHECKPOINT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "seq2seq/data/loader.h"
#include "seq2seq/model/run_folder.h"
#include "seq2seq/model/weights.h"

namespace seq2seq {

// One look at held-out data.
struct Validation {
  int64_t update = 0;
  bool scheduled = true;  // By train.validate_every; not one more because training stopped here.
  double score = 0;       // The metric that is judged by, turned so that higher is better.
  std::map<std::string, double> metrics;  // "loss", "perplexity", "bleu", …
};

// Everything besides tensors.
struct TrainerState {
  int64_t update = 0;            // Updates done.
  LoaderPosition position;       // Of the next batch.
  double seconds = 0;            // Spent training.
  uint64_t corpus = 0;           // Corpus::content of the training data.
  uint64_t valid = 0;            // And of the held-out data; 0 in older steps.
  int64_t skipped = 0;           // Updates whose gradient was no number.
  int64_t skipped_in_a_row = 0;  // And since the last one that had one.
  int64_t recoveries = 0;        // Times that training went back to a step, by train.recoveries.
  double rate_share = 1;         // What they left of the learning rate.
  std::vector<Validation> validations;

  // The first of the validations with the highest score, or null.
  const Validation* Best() const;

  // The scores of the scheduled validations: what the course of training may depend on, so that it
  // is the same whether it was stopped on its way or not.
  std::vector<double> ScheduledScores() const;

  // Scheduled validations since the best of them.
  int64_t SinceBest() const;
};

// Of the validations of steps that are stored in `run`, the first with the highest score, or null.
const Validation* StoredBest(const RunFolder& run, const TrainerState& state);

// Makes the link `best` of `run` lead to StoredBest, or takes it away.
absl::Status LinkBest(const RunFolder& run, const TrainerState& state);

// Where `latest` is missing, after a crash in the first save or a copy without links, makes it lead
// to the last step, if there is one.
absl::Status LinkLatest(const RunFolder& run);

// Removes from `run` all steps but the best and the last `keep_last` up to state.update: who trains
// on from there has given up later ones. What cannot be removed stays until the next time.
void RemoveSteps(const RunFolder& run, const TrainerState& state, int64_t keep_last);

// Saves a step of a run, the weights to decode with and what else training needs to go on: the
// folder is complete before it appears, then `best` leads to StoredBest and `latest` to the new
// step, then RemoveSteps.
absl::Status SaveCheckpoint(const RunFolder& run, const TrainerState& state,
                            const TensorMap& weights, const TensorMap& memory, int64_t keep_last);

// Copies the latest step into `weights` and `memory`, which share memory with what is trained.
absl::StatusOr<TrainerState> LoadCheckpoint(const RunFolder& run, const TensorMap& weights,
                                            const TensorMap& memory);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_CHECKPOINT_H_
