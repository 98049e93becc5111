// The loop that trains.
#ifndef SEQ2SEQ_TRAIN_TRAINER_H_
#define SEQ2SEQ_TRAIN_TRAINER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <torch/types.h>

#include "seq2seq/data/bucket.h"
#include "seq2seq/data/corpus_mix.h"
#include "seq2seq/data/loader.h"
#include "seq2seq/model/model.h"
#include "seq2seq/train/checkpoint.h"
#include "seq2seq/train/memory_plan.h"
#include "seq2seq/train/optimizer.h"
#include "seq2seq/train/run_log.h"
#include "seq2seq/train/train_options.h"
#include "seq2seq/train/weight_average.h"

namespace seq2seq {

// The state of training since the last report. Loss, accuracy and norm are means over the updates
// that were not skipped, NaN where all were.
struct Progress {
  int64_t update = 0;
  double epoch = 0;           // Passes over the data, as a fraction.
  double loss = 0;            // Negative log-likelihood of a target token, in nats.
  double perplexity = 0;      // Its exponential.
  double token_accuracy = 0;  // Share of target tokens that score highest, 0 to 1.
  double gradient_norm = 0;   // With penalties, cut by clip_value, and before clip_norm.
  int64_t skipped = 0;        // Updates so far whose gradient was not finite.
  double learning_rate = 0;
  double teacher_forcing = 0;    // Probability of feeding the truth.
  double tokens_per_second = 0;  // Target tokens, end of sentence included, padding not.
  double waiting = 0;            // Share of the time spent waiting for data.
  double seconds = 0;            // Of training, over all runs of the program.
  double remaining = 0;          // Estimated seconds to the first bound; 0 if there is none.
};

enum class StopReason { kMaxUpdates, kMaxEpochs, kMaxMinutes, kPatience, kRequested };

// "max_updates reached", for people.
std::string Text(StopReason reason);

// What a trainer asks and tells its owner. All may be empty.
struct TrainerHooks {
  // What batches are made with; held-out sentences are never resampled.
  ExampleTransforms examples;
  // Metrics of real output on held-out data, such as {"bleu", 31.2}; the model is in eval mode. The
  // trainer itself knows no search.
  std::function<absl::StatusOr<std::map<std::string, double>>(Model)> evaluate;
  std::function<void(const Progress&)> on_progress;
  std::function<void(const Validation&)> on_validation;
  // Told in a line what training goes on in spite of: a save that failed, a step back.
  std::function<void(const std::string&)> on_warning;
  // Asked after every update: true saves and stops.
  std::function<bool()> stop_requested;
};

// Trains a model in a run folder, from the latest step there if there is one. Order of data,
// dropout and coins are functions of the seed and the update, so that a run that was stopped and
// went on ends with the same weights as one that was not: bit for bit on the CPU with the same
// number of threads, processor and build; elsewhere, and on CUDA, sums are rounded in another
// order. Reseeds LibTorch's default generators at every update.
//
// Validates and saves every so often and at the end, and appends to log.jsonl. After an error, a
// crash or a power cut, at any moment, `latest` and `best` lead to whole steps. A full disk lets
// training go on until train.max_failed_saves; losses that are not finite, until train.max_skipped
// and train.recoveries.
//
// A batch that is estimated to take more than train.memory is computed in parts, whose gradients
// add up to its own: a function of the batch and of what it is trained by. Where memory ends all
// the same, on CUDA or under another program's load, the parts become smaller.
class Trainer {
 public:
  // `model` is trained in place, on `device`. The corpora must outlive the trainer.
  // InvalidArgument, by its key, for an option that is out of range, that the device or the hooks
  // cannot serve or that names no module; FailedPrecondition for a run that was begun with another
  // corpus or held-out data; DataLoss and InvalidArgument, by its file, for a step that is damaged
  // or does not fit. No other process may be training in the folder (FolderLock).
  static absl::StatusOr<std::unique_ptr<Trainer>> Create(const TrainOptions& options,
                                                         const BucketOptions& buckets, Model model,
                                                         torch::Device device,
                                                         const CorpusMix& train,
                                                         const Corpus& valid, TrainerHooks hooks);

  // Trains until a bound is reached.
  absl::StatusOr<StopReason> Run();

  const TrainerState& state() const { return state_; }

  // Seconds that the updates of this call took, and of these, for each Phase, how many it took.
  double update_seconds() const { return state_.seconds - first_seconds_; }
  const std::vector<double>& phase_seconds() const { return phase_seconds_; }

  // How batches are kept within train.memory.
  const MemoryPlan& memory() const { return memory_; }

  // Share of positions in the first epoch's batches that are padding.
  double padding_share() const { return loader_->padding_share(); }

 private:
  // Sums since the last report.
  struct Window {
    double nll = 0;
    double correct = 0;
    int64_t tokens = 0;
    int64_t updates = 0;
    double seconds = 0;
    double waiting = 0;
    double gradient_norm = 0;
  };

  Trainer(const TrainOptions& options, const BucketOptions& buckets, Model model,
          torch::Device device, const CorpusMix& train, const Corpus& valid, TrainerHooks hooks);

  // Goes to the latest step, if there is one, else to the beginning.
  absl::Status Restore();
  // Begins to load the batches that come next.
  absl::Status StartLoader();

  // How far training is at the end of the update that brings it to `position`.
  TrainingTime TimeAt(int64_t update, const LoaderPosition& position) const;

  // What is saved besides the weights.
  TensorMap Memory() const;

  // Measures what passes take.
  absl::Status PlanMemory();

  absl::StatusOr<StopReason> Loop();
  absl::Status Update();
  // Sums of a loss over tokens.
  struct LossSums {
    double nll = 0;
    double correct = 0;
  };
  // Leaves the gradient of the mean loss of `batches`, of `tokens` tokens, in the parameters. Where
  // there is no memory for it, it begins again in smaller parts.
  LossSums ComputeGradient(int64_t update, const std::vector<Batch>& batches, int64_t tokens);
  void DropGradients();
  // Whether every parameter that is to learn has a gradient.
  absl::Status CheckGradients() const;
  // From update `update`, the last of too many without a finite loss, to the step before them.
  absl::Status Recover(int64_t update, double loss, double gradient_norm);
  double CurrentRate(int64_t update) const;
  absl::Status Report();
  absl::Status Log(const std::string& line);
  absl::Status Validate();
  absl::Status Save();
  // Saves, or warns that there is no room and goes on.
  absl::Status TrySave();
  // Of held-out data, by the weights that would be saved now.
  absl::StatusOr<std::map<std::string, double>> Metrics();
  std::map<std::string, double> HeldOutLoss();
  bool ReachedBound(StopReason& reason) const;
  double RemainingSeconds() const;

  const TrainOptions options_;
  const BucketOptions buckets_;
  const RunFolder run_;
  Model model_;
  const torch::Device device_;
  const CorpusMix train_;
  const Corpus& valid_;
  const TrainerHooks hooks_;
  const TensorMap parameters_;
  const TensorMap fine_tuned_;  // Those of a pretrained network.
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<WeightAverage> average_;
  std::unique_ptr<Loader> loader_;
  RunLog log_;
  TrainerState state_;
  MemoryPlan memory_;
  int64_t saved_update_ = -1;
  int64_t failed_saves_ = 0;  // In a row.
  int64_t first_update_ = 0;  // Of this call.
  double first_seconds_ = 0;
  Batch reported_batch_;  // Whose gates a report of the modules tells of.
  Window window_;
  std::vector<double> phase_seconds_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_TRAINER_H_
