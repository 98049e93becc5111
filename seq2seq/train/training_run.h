// Training runs: from a configuration to a trained model in a run folder.
#ifndef SEQ2SEQ_TRAIN_TRAINING_RUN_H_
#define SEQ2SEQ_TRAIN_TRAINING_RUN_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <c10/core/Device.h>

#include "seq2seq/base/file.h"
#include "seq2seq/base/options.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/model/model.h"
#include "seq2seq/source/source.h"
#include "seq2seq/train/process_group.h"
#include "seq2seq/train/teachers.h"
#include "seq2seq/train/trainer.h"
#include "seq2seq/train/training_config.h"
#include "seq2seq/train/training_data.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// What translating validation data needs besides the model. The run owns what it refers to.
struct ValidationInput {
  const std::vector<std::string>& lines;
  std::shared_ptr<const Source> source;  // Reads the lines.
  const Tokenizer& target;
  c10::Device device;  // Of the model.
};

// What a program adds to a run. All may be empty.
struct TrainingRunHooks {
  // A translation of each line of a validation set; the model is in eval mode. Needed for all
  // metrics but loss and perplexity; not called for models without a source. The run itself does
  // not depend on search.
  std::function<absl::StatusOr<std::vector<std::string>>(Model, const ValidationInput&)> translate;
  // Outputs of the model for the objectives risk and self_critical, which need it.
  OutputSampler sample_outputs;
  // The metric `command` of the translations of a validation set, by its name, "" if there is one
  // alone; called by rank 0 only.
  std::function<absl::StatusOr<double>(const std::vector<std::string>& outputs,
                                       const std::string& set)>
      judge;
  // Outputs for a few lines of the first validation set, with attention weights where the model has
  // them, to keep in the log; source and reference are filled in. Not called for models without a
  // source.
  std::function<absl::StatusOr<std::vector<ValidationSample>>(Model, const ValidationInput&)>
      sample;
  std::function<void(const Progress&)> on_progress;
  std::function<void(const Validation&)> on_validation;
  // Called after every update; true saves and stops.
  std::function<bool()> stop_requested;
  // Options of the program that config.yaml also holds, after those of the run; their fields must
  // outlive Create. A run that resumes keeps the sections of other programs as they are.
  OptionList further_sections;
};

// Trains a model as configured: tokenizers, data, initial weights and a Trainer in a run folder,
// which holds all that decoding needs. A run whose folder has a checkpoint resumes from it.
//
//   TrainingConfig config;
//   config.data.train = {"train.de", "train.en"};
//   config.data.valid = {"dev.de", "dev.en"};
//   config.data.source_tokenizer = config.data.target_tokenizer = "subwords.model";
//   config.train.run = "runs/de-en";
//   config.train.metric = {"loss"};
//   config.train.max_epochs = 10;
//   SEQ2SEQ_ASSIGN_OR_RETURN(const auto run, TrainingRun::Create(config, {}));
//   SEQ2SEQ_ASSIGN_OR_RETURN(const StopReason reason, run->Run());
//   std::cout << Text(reason) << ": " << run->folder().Best() << "\n";
//
// In several processes, each creates a run of the same configuration with its ProcessGroup, after
// which the trained weights are the same in all. Rank 0 alone writes the run folder, but for the
// encoded data in its cache, which is written once on every machine that does not share the folder.
// The result is that of one process, up to rounding, however many they are; see Trainer.
//
// Messages go to the log (base/log.h), among them failures that training survives. The number of
// LibTorch's threads stays as it is: config.run.threads is for the program to apply, since it holds
// for the whole process. Create seeds LibTorch's default generators from config.train.seed, which
// changes what other parts of the program draw from them.
class TrainingRun {
 public:
  // Checks everything, prepares the folder and its data, and builds the model. Costs a pass over
  // the text, and over the images, unless the folder's cache has them; holds the folder's lock
  // until destruction.
  //
  // InvalidArgument, naming the key or file, for a configuration that is wrong; FailedPrecondition
  // for a folder that is in use, is not a run's, or was started with another model, other data or
  // tokenizers, and for processes that differ in these, in the configuration or the build, naming
  // the process and what differs; the errors of Trainer::Create. `group`, if not null, must outlive
  // the run; errors are published to its processes.
  static absl::StatusOr<std::unique_ptr<TrainingRun>> Create(TrainingConfig config,
                                                             TrainingRunHooks hooks,
                                                             ProcessGroup* group = nullptr);

  // Trains until a bound is reached, and saves; errors as Trainer::Run. May be called again, with
  // the same bounds.
  absl::StatusOr<StopReason> Run() { return trainer_->Run(); }

  // The configuration with what was settled at the start: vocabulary sizes, channels, precision.
  const TrainingConfig& config() const { return config_; }
  const RunFolder& folder() const { return folder_; }
  const Trainer& trainer() const { return *trainer_; }
  Model model() const { return model_; }

 private:
  TrainingRun(TrainingConfig config, TrainingRunHooks hooks, c10::Device device,
              Tokenizers tokenizers, std::optional<FolderLock> lock, ProcessGroup* group);

  static absl::StatusOr<std::unique_ptr<TrainingRun>> Make(TrainingConfig config,
                                                           TrainingRunHooks hooks,
                                                           ProcessGroup* group);
  bool IsFirst() const { return group_ == nullptr || group_->rank() == 0; }
  // Reads the data, and writes config.yaml.
  absl::Status PrepareData();
  absl::Status WriteConfig();
  // Builds the model; sets its initial weights unless the run resumes.
  absl::Status BuildModel();
  absl::Status LoadTeachers();
  absl::Status MakeSequenceObjective();
  absl::Status MakeTrainer();
  TrainerHooks MakeHooks() const;
  // Metrics of translations of the validation sets.
  absl::StatusOr<std::map<std::string, double>> Evaluate(Model model) const;
  // Translations of lines, of which each process makes its share.
  absl::StatusOr<std::vector<std::string>> Translate(Model model,
                                                     const std::vector<std::string>& lines) const;
  // What hooks_.judge gives of translations, in all processes.
  absl::StatusOr<double> Judge(const std::vector<std::string>& translations,
                               const std::string& set) const;
  // Outputs for train.samples lines of the first validation set.
  absl::StatusOr<std::vector<ValidationSample>> Sample(Model model) const;
  // Logs the size of the model and how it computes, and the bound of train.memory.
  void LogSetup(int64_t memory) const;

  TrainingConfig config_;
  const TrainingRunHooks hooks_;
  const RunFolder folder_;
  const c10::Device device_;
  const Tokenizers tokenizers_;
  const std::optional<FolderLock> lock_;  // Of the process that writes.
  ProcessGroup* const group_;             // Null for one process.
  std::unique_ptr<const TrainingData> data_;
  Model model_{nullptr};
  Teachers teachers_;
  std::optional<SequenceObjective> sequence_objective_;  // With risk and self_critical.
  std::unique_ptr<Trainer> trainer_;  // Last, since it reads the data until it is destroyed.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_TRAINING_RUN_H_
