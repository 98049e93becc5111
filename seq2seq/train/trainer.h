// Training loop.
#ifndef SEQ2SEQ_TRAIN_TRAINER_H_
#define SEQ2SEQ_TRAIN_TRAINER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <torch/types.h>

#include "seq2seq/data/bucket.h"
#include "seq2seq/data/corpus_mix.h"
#include "seq2seq/data/loader.h"
#include "seq2seq/model/model.h"
#include "seq2seq/model/parameter_group.h"
#include "seq2seq/model/parameters.h"
#include "seq2seq/train/bounds.h"
#include "seq2seq/train/checkpoint.h"
#include "seq2seq/train/memory_plan.h"
#include "seq2seq/train/optimizer.h"
#include "seq2seq/train/process_group.h"
#include "seq2seq/train/progress.h"
#include "seq2seq/train/rounded_weights.h"
#include "seq2seq/train/run_log.h"
#include "seq2seq/train/sequence_objective.h"
#include "seq2seq/train/tensorboard.h"
#include "seq2seq/train/train_options.h"
#include "seq2seq/train/validation_sample.h"
#include "seq2seq/train/validation_set.h"
#include "seq2seq/train/weight_average.h"

namespace seq2seq {

class GradientExchange;
class Stopwatch;
struct LossSums;

// Callbacks of a trainer. All may be empty.
struct TrainerHooks {
  // Transforms of training examples; validation sentences are never resampled, and their noise is
  // always the same.
  ExampleTransforms examples;
  // What teachers make of a training batch, on the trainer's device.
  std::function<Distillation(const Batch&)> teach;
  // What the objectives risk and self_critical learn from in place of a batch of references, which
  // is on the CPU; the model is in eval mode.
  std::function<absl::StatusOr<SequenceObjective::Result>(Model, const Batch&, uint64_t seed)>
      sample_outputs;
  // Metrics of decoded validation data, such as {"bleu", 31.2}, all of train.metric that are no
  // losses among them; the model is in eval mode. The trainer itself does not depend on search.
  std::function<absl::StatusOr<std::map<std::string, double>>(Model)> evaluate;
  // Outputs to keep in the log, of the same lines each time; called by rank 0 alone, in eval mode.
  std::function<absl::StatusOr<std::vector<ValidationSample>>(Model)> sample;
  // What the log tells of each start, such as {"processor", "AMD EPYC"}; nothing if empty.
  std::map<std::string, std::string> facts;
  std::function<void(const Progress&)> on_progress;
  std::function<void(const Validation&)> on_validation;
  // Receives a line for each failure that training survives: failed saves, lack of memory,
  // recoveries.
  std::function<void(const std::string&)> on_warning;
  // Called after every update; true saves and stops.
  std::function<bool()> stop_requested;
};

// Trains a model in a run folder, from its latest checkpoint if it has one. Order of data, dropout
// and scheduled sampling are functions of the seed and the update, so that a run which was
// interrupted and resumed ends with the weights of an uninterrupted one: bit for bit on the CPU
// with the same number of threads, processor and build; elsewhere, and on CUDA, up to rounding.
// Reseeds LibTorch's default generators at every update.
//
// Validates and saves at intervals and at the end, and appends to log.jsonl. After an error, a
// crash or a power cut at any moment, `latest` and `best` point to complete checkpoints. Training
// continues when the disk is full, up to train.max_failed_saves, and when losses are NaN or
// infinite, up to train.max_skipped and train.recoveries.
//
// With a group of processes, each runs a trainer of the same options and data, and computes its
// share of every batch: the weights are those of one process up to rounding, and the same from run
// to run for the same number of processes. A run may continue with another number of them. Rank 0
// alone reads and writes the folder, and calls on_progress and on_validation; a stop that any
// process is asked for stops all.
//
// A batch that is estimated to exceed train.memory is computed in parts, whose gradients add up to
// that of the batch; the parts are a function of the batch and the training setup. Where memory
// runs out nevertheless, on CUDA or because of other programs, the parts become smaller.
class Trainer {
 public:
  ~Trainer();

  // `model` is trained in place, on `device`. The corpora must outlive the trainer.
  // InvalidArgument, naming the key, for an option that is out of range, is not supported by the
  // device or the hooks, or names no module; FailedPrecondition for a run that was started with
  // other training or validation data; DataLoss and InvalidArgument, naming the file, for a
  // checkpoint that is damaged or does not fit the model. No other process may train in the folder
  // (FolderLock). `group`, if not null, must outlive the trainer, and is used by nothing else while
  // it runs; `hooks.evaluate` must return the same in all processes.
  static absl::StatusOr<std::unique_ptr<Trainer>> Create(
      const TrainOptions& options, const BucketOptions& buckets, Model model, torch::Device device,
      const CorpusMix& train, const ValidationSets& valid, TrainerHooks hooks,
      ProcessGroup* group = nullptr);

  // Trains until a bound is reached.
  absl::StatusOr<StopReason> Run();

  const TrainerState& state() const { return state_; }

  // Seconds of all updates of this trainer, and of these for each Phase.
  double update_seconds() const { return state_.seconds - first_seconds_; }
  const std::vector<double>& phase_seconds() const { return phase_seconds_; }

  // How batches are split to stay within train.memory.
  const MemoryPlan& memory() const { return memory_; }

  // Share of padding among the positions in the first epoch's batches, 0 to 1.
  double padding_share() const { return loader_->padding_share(); }

 private:
  Trainer(const TrainOptions& options, const BucketOptions& buckets, Model model,
          torch::Device device, const CorpusMix& train, const ValidationSets& valid,
          TrainerHooks hooks, ProcessGroup* group);

  // Whether this process writes the folder: the only one, or rank 0.
  bool IsFirst() const { return group_ == nullptr || group_->rank() == 0; }
  // Whether processes update by themselves between exchanges.
  bool IsLocal() const { return group_ != nullptr && options_.processes.sync_every > 1; }

  // Loads the latest checkpoint, if there is one; else starts from the beginning.
  absl::Status Restore();
  absl::Status ReadCheckpoint();
  // All tensors of the state of training.
  TensorMap StateTensors() const;
  // Starts to load batches at state_.position.
  absl::Status StartLoader();

  // Progress at the end of the update that leads to `position`.
  TrainingTime TimeAt(int64_t update, const LoaderPosition& position) const;

  // What is saved besides the weights: moments and, with an average, trained parameters.
  TensorMap OptimizerState() const;

  // Sets memory_ after measuring forward and backward passes, if there is a bound.
  absl::Status PlanMemory();

  absl::StatusOr<StopReason> Loop();
  bool IsStopRequested() const { return hooks_.stop_requested && hooks_.stop_requested(); }
  // Whether to stop now, on request or at a bound.
  std::optional<StopReason> Stop() const;
  absl::Status Update();
  // The batches of the next update, and the target tokens that divide their loss: those that are
  // planned for all processes, or where there is no exchange those of the batches.
  std::vector<Batch> NextBatches(int64_t& tokens);
  // The batches that sampled outputs make of these.
  absl::StatusOr<std::vector<Batch>> SampleOutputs(const std::vector<Batch>& references,
                                                   uint64_t seed);
  // Those of the options.
  LossTerms Terms() const;
  // Adds up gradients and loss over all processes, and what they decide together.
  void Exchange(const Stopwatch& stopwatch, int64_t planned_tokens, LossSums& loss);
  // Applies the gradients, unless they or the loss are NaN or infinite.
  absl::Status Apply(int64_t update, const LossSums& loss);
  // Averages weights and optimizer states over processes that update by themselves.
  absl::Status Synchronize(int64_t update, const Stopwatch& stopwatch);
  // Adds what was sent since the last call to sums_.
  void CountSentBytes();
  // Adds up sums_ over processes that update by themselves; the times are means.
  void AddUpProgress();
  // Sets all processes to the state of rank 0, where rounding has set them apart.
  void KeepReplicasEqual();
  // Internal, naming the parameter, if a trainable one has no gradient.
  absl::Status CheckGradients() const;
  // Writes to the event files, if there are any; warns if that fails.
  void ShowOnBoard(absl::FunctionRef<absl::Status(TensorBoard&)> add);
  // Returns to the latest checkpoint after `update`, which was one skipped update too many in a
  // row; an error with `cause` if train.recoveries is used up.
  absl::Status Recover(int64_t update, const std::string& cause);
  double CurrentRate(int64_t update) const;
  void Warn(const std::string& warning) const;
  // An event of log.jsonl with the facts of the hooks, if there are any.
  absl::Status LogStart();
  absl::Status Report();
  absl::Status Log(const std::string& line);
  absl::Status Validate();
  absl::Status Save();
  // Saves, or warns that the disk is full or faulty and continues.
  absl::Status TrySave();
  // What the weights that would be saved now give on the validation data.
  struct Evaluation {
    std::map<std::string, double> metrics;
    std::vector<ValidationSample> samples;
  };
  absl::StatusOr<Evaluation> Evaluate();

  const TrainOptions options_;
  const BucketOptions buckets_;
  const RunFolder run_;
  Model model_;
  const torch::Device device_;
  const CorpusMix train_;
  const ValidationSets valid_;
  const TrainerHooks hooks_;
  const std::vector<ParameterGroup> groups_;
  const TensorMap parameters_;  // Of all groups.
  const TensorMap fine_tuned_;  // Of pretrained groups.
  ProcessGroup* const group_;   // Null for one process.
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<WeightAverage> average_;
  std::optional<RoundedWeights> rounded_;
  std::unique_ptr<Loader> loader_;
  RunLog log_;
  std::optional<TensorBoard> board_;
  TrainerState state_;
  MemoryPlan memory_;
  int64_t saved_update_ = -1;
  int64_t failed_saves_ = 0;  // In a row.
  int64_t first_update_ = 0;  // At the start of this trainer.
  double first_seconds_ = 0;
  Batch reported_batch_;  // For the gate saturation in the next report.
  ProgressSums sums_;     // Since the last report.
  std::vector<double> phase_seconds_;

  // Of several processes.
  std::unique_ptr<GradientExchange> exchange_;  // Null where processes update by themselves.
  bool stop_agreed_ = false;                    // Whether any process was asked to stop.
  double late_seconds_ = 0;   // Since the exchange that agreed on state_.seconds began.
  int64_t skipped_here_ = 0;  // Since the last exchange.
  std::string failure_here_;  // Of the last update that was skipped here.
  double last_wait_ = 0;      // Seconds of the last exchange.
  double counted_bytes_ = 0;  // Sent, and counted in a report.
  bool warned_of_rounding_ = false;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_TRAINER_H_
