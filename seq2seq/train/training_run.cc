#include "seq2seq/train/training_run.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include <nlohmann/json.hpp>
#include <torch/torch.h>

#include "seq2seq/base/describe_error.h"
#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/fingerprint.h"
#include "seq2seq/base/log.h"
#include "seq2seq/base/memory_limit.h"
#include "seq2seq/base/processor.h"
#include "seq2seq/base/random.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/model/parameters.h"
#include "seq2seq/ops/device.h"
#include "seq2seq/train/checkpoint.h"
#include "seq2seq/train/initial_weights.h"
#include "seq2seq/train/pin_file.h"
#include "seq2seq/train/process_agreement.h"
#include "seq2seq/train/validation_metrics.h"

namespace seq2seq {
namespace {

namespace fs = std::filesystem;

// Whether there is a checkpoint to resume from.
bool Resumes(const RunFolder& run) {
  std::error_code ignored;
  return fs::exists(run.Latest(), ignored);
}

// Refuses a folder that is something else's; removes what an interrupted run left behind.
absl::Status PrepareFolder(const RunFolder& run) {
  // Either tokenizer may have been written before the program was killed.
  const bool is_run = fs::exists(run.SourceTokenizer()) || fs::exists(run.TargetTokenizer());
  for (const char* begun : {"source.model.", "target.model."}) RemoveTemporaries(run.path, begun);
  if (!is_run && !fs::is_empty(run.path)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "train.run: ", run.path, " is not empty, and is not a run folder; use another"));
  }
  SEQ2SEQ_RETURN_IF_ERROR(CheckInside(run));
  RemoveTemporaries(run.path);
  RemoveTemporaries(run.Cache());
  return LinkLatest(run);
}

// Reads what config.yaml of a run holds besides the sections of programs.
absl::StatusOr<TrainingConfig> ReadConfig(const RunFolder& run) {
  TrainingConfig config;
  SEQ2SEQ_RETURN_IF_ERROR(ReadOptions(run.Config(), ListOptions(config), OtherSections::kIgnored));
  return config;
}

// Refuses to resume a run of another model or other data, naming the first difference. Takes over
// what was determined when the run was started.
absl::Status CheckSameRun(const RunFolder& run, TrainingConfig& stored, TrainingConfig& config) {
  if (config.model.image.channels == 0) config.model.image.channels = stored.model.image.channels;
  const OptionList before = ListOptions(stored);
  const OptionList now = ListOptions(config);
  // A run without momentum has no momentum buffers to resume from.
  const bool buffers_differ =
      (stored.train.optimizer.momentum > 0) != (config.train.optimizer.momentum > 0);
  for (size_t i = 0; i < now.size(); ++i) {
    const std::string& key = now[i].key;
    const bool binds = absl::StartsWith(key, "model.") || absl::StartsWith(key, "data.") ||
                       absl::StartsWith(key, "train.noise.") || key == "train.objective" ||
                       key == "train.seed" || key == "train.optimizer.kind" ||
                       absl::StartsWith(key, "train.metric") || key == "train.average" ||
                       (key == "train.optimizer.momentum" && buffers_differ);
    if (binds && OptionText(before[i]) != OptionText(now[i])) {
      return absl::FailedPreconditionError(
          absl::StrCat(run.path, ": was started with ", key, " = ", OptionText(before[i]),
                       ", and is now given ", OptionText(now[i]), "; use another train.run"));
    }
  }
  return absl::OkStatus();
}

// The precision of a resumed run that is asked for none.
absl::StatusOr<PrecisionChoice> KeptPrecision(const RunFolder& run, PrecisionChoice stored,
                                              c10::Device device) {
  if (HasPrecision(Resolve(stored, device.is_cpu()), device.is_cpu())) return stored;
  return absl::FailedPreconditionError(
      absl::StrCat("train.precision: ", run.path,
                   " was started in bf16, which this processor, or this build, does not "
                   "support; train.precision=fp32 continues in fp32"));
}

// Checks that `config` continues the run; resolves train.precision, which a run keeps unless
// another is requested. auto is what all processes have.
absl::Status SettleConfig(const RunFolder& run, c10::Device device, bool all_have_bf16,
                          TrainingConfig& config) {
  PrecisionChoice& precision = config.train.precision;
  if (Resumes(run)) {
    SEQ2SEQ_ASSIGN_OR_RETURN(TrainingConfig stored, ReadConfig(run));
    SEQ2SEQ_RETURN_IF_ERROR(CheckSameRun(run, stored, config));
    if (precision == PrecisionChoice::kAuto) {
      SEQ2SEQ_ASSIGN_OR_RETURN(precision, KeptPrecision(run, stored.train.precision, device));
    }
  }
  if (precision == PrecisionChoice::kAuto && !all_have_bf16) precision = PrecisionChoice::kFp32;
  precision = ChoiceOf(Resolve(precision, device.is_cpu()));
  return absl::OkStatus();
}

// Whether all processes compute in bf16 on their devices. All of `group`, if not null, call it.
bool AllHaveBf16(c10::Device device, ProcessGroup* group) {
  const bool here = HasPrecision(Precision::kBf16, device.is_cpu());
  if (group == nullptr) return here;
  return group->Gather(torch::full({1}, here ? 1.0f : 0.0f)).all().item<bool>();
}

// What rank 0 has settled, in all processes.
absl::Status TakeOver(TrainingConfig& config, ProcessGroup& group) {
  SEQ2SEQ_RETURN_IF_ERROR(group.Meet());
  const std::string precision = group.Gather(EnumText(config.train.precision))[0];
  config.train.precision = *EnumFromText<PrecisionChoice>(precision);
  return absl::OkStatus();
}

absl::Status PinTokenizers(const RunFolder& run, const Tokenizers& tokenizers,
                           const DataOptions& data) {
  if (tokenizers.source) {
    SEQ2SEQ_RETURN_IF_ERROR(PinFile(tokenizers.source->model(), "tokenizer", data.source_tokenizer,
                                    run.SourceTokenizer()));
  }
  return PinFile(tokenizers.target.model(), "tokenizer", data.target_tokenizer,
                 run.TargetTokenizer());
}

}  // namespace

absl::StatusOr<std::unique_ptr<TrainingRun>> TrainingRun::Create(TrainingConfig config,
                                                                 TrainingRunHooks hooks,
                                                                 ProcessGroup* group) {
  const std::string path = config.train.run;
  absl::StatusOr<std::unique_ptr<TrainingRun>> run;
  try {
    run = Make(std::move(config), std::move(hooks), group);
  } catch (const std::exception& error) {  // Of LibTorch and the file system.
    run = ToStatus(error, absl::StrCat("train.run: ", path, ": cannot set up training"));
  }
  if (group != nullptr && !run.ok()) group->Fail(run.status());
  return run;
}

absl::StatusOr<std::unique_ptr<TrainingRun>> TrainingRun::Make(TrainingConfig config,
                                                               TrainingRunHooks hooks,
                                                               ProcessGroup* group) {
  SEQ2SEQ_RETURN_IF_ERROR(TrainingData::Validate(config));
  SEQ2SEQ_RETURN_IF_ERROR(Validate(config.train));
  SEQ2SEQ_RETURN_IF_ERROR(Validate(config.run));
  if (HaveCommand(config.train.metric) && !hooks.judge)
    return absl::InvalidArgumentError("train.metric: command needs a hook `judge`");
  SEQ2SEQ_ASSIGN_OR_RETURN(const c10::Device device, ParseDevice(config.run.device));
  SEQ2SEQ_ASSIGN_OR_RETURN(Tokenizers tokenizers, LoadTokenizers(config));
  SEQ2SEQ_RETURN_IF_ERROR(Validate(config.model));
  if (group != nullptr) {
    Facts facts = ConfigFacts(config);
    for (const Option& option : hooks.further_sections)
      facts.emplace_back(option.key, OptionText(option));
    const auto add = [&](const char* name, const Tokenizer& tokenizer) {
      Fingerprint content;
      content.Add(tokenizer.model());
      facts.emplace_back(absl::StrCat("the content of ", name), absl::StrCat(content.value()));
    };
    if (tokenizers.source) add("data.source_tokenizer", *tokenizers.source);
    add("data.target_tokenizer", tokenizers.target);
    SEQ2SEQ_RETURN_IF_ERROR(CheckAgreement(facts, *group));
  }

  const RunFolder folder{config.train.run};
  const bool all_have_bf16 = AllHaveBf16(device, group);
  std::optional<FolderLock> lock;
  SEQ2SEQ_RETURN_IF_ERROR(CreateFolders(folder.path));
  if (group == nullptr || group->rank() == 0) {
    SEQ2SEQ_ASSIGN_OR_RETURN(FolderLock acquired, FolderLock::Acquire(folder.path));
    lock.emplace(std::move(acquired));
    SEQ2SEQ_RETURN_IF_ERROR(PrepareFolder(folder));
    SEQ2SEQ_RETURN_IF_ERROR(SettleConfig(folder, device, all_have_bf16, config));
    SEQ2SEQ_RETURN_IF_ERROR(PinTokenizers(folder, tokenizers, config.data));
  }
  if (group != nullptr) SEQ2SEQ_RETURN_IF_ERROR(TakeOver(config, *group));
  SEQ2SEQ_RETURN_IF_ERROR(CreateFolders(folder.Cache()));

  std::unique_ptr<TrainingRun> run(new TrainingRun(std::move(config), std::move(hooks), device,
                                                   std::move(tokenizers), std::move(lock), group));
  SEQ2SEQ_RETURN_IF_ERROR(run->PrepareData());
  SEQ2SEQ_RETURN_IF_ERROR(run->WriteConfig());
  SEQ2SEQ_RETURN_IF_ERROR(run->BuildModel());
  SEQ2SEQ_RETURN_IF_ERROR(run->LoadTeachers());
  SEQ2SEQ_RETURN_IF_ERROR(run->MakeSequenceObjective());
  SEQ2SEQ_RETURN_IF_ERROR(run->MakeTrainer());
  return run;
}

TrainingRun::TrainingRun(TrainingConfig config, TrainingRunHooks hooks, c10::Device device,
                         Tokenizers tokenizers, std::optional<FolderLock> lock, ProcessGroup* group)
    : config_(std::move(config)),
      hooks_(std::move(hooks)),
      folder_{config_.train.run},
      device_(device),
      tokenizers_(std::move(tokenizers)),
      lock_(std::move(lock)),
      group_(group) {}

absl::Status TrainingRun::PrepareData() {
  // Rank 0 writes the cache; then one process of each other machine, which maps that cache or, if
  // it does not share the folder, writes its own; then the others, which map it.
  const int mine = IsFirst() ? 0 : group_->place().local_rank == 0 ? 1 : 2;
  // The process that writes has the cores of those that wait for it.
  const int64_t threads =
      torch::get_num_threads() * (group_ != nullptr && mine < 2 ? group_->place().local_size : 1);
  for (int turn = 0; turn < (group_ != nullptr ? 3 : 1); ++turn) {
    if (turn == mine) {
      SEQ2SEQ_ASSIGN_OR_RETURN(
          TrainingData data,
          TrainingData::Prepare(folder_, device_, tokenizers_, static_cast<int>(threads), config_));
      data_ = std::make_unique<const TrainingData>(std::move(data));
    }
    if (group_ != nullptr) SEQ2SEQ_RETURN_IF_ERROR(group_->Meet());
  }
  if (group_ == nullptr) return absl::OkStatus();
  return CheckAgreement({{"the content of data.train", absl::StrCat(data_->Train().content())},
                         {"the content of data.valid", absl::StrCat(data_->Valid().content())}},
                        *group_);
}

absl::Status TrainingRun::WriteConfig() {
  if (!IsFirst()) return absl::OkStatus();
  OptionList options = ListOptions(config_);
  options.insert(options.end(), hooks_.further_sections.begin(), hooks_.further_sections.end());
  std::string others;  // Of programs that trained it before.
  if (Resumes(folder_)) {
    SEQ2SEQ_ASSIGN_OR_RETURN(others, ReadOtherSections(folder_.Config(), options));
  }
  return WriteFile(folder_.Config(), PrintOptions(options) + others);
}

absl::Status TrainingRun::BuildModel() {
  torch::manual_seed(DeriveSeed({static_cast<uint64_t>(config_.train.seed)}));
  model_ = Model(config_.model);
  model_->train();
  // The run has its weights already, or rank 0 will hand them out.
  if (!IsFirst() || Resumes(folder_)) return absl::OkStatus();
  return SetInitialWeights(config_.run, tokenizers_.source, tokenizers_.target, model_);
}

absl::Status TrainingRun::LoadTeachers() {
  if (config_.run.teacher.empty()) return absl::OkStatus();
  SEQ2SEQ_ASSIGN_OR_RETURN(teachers_,
                           Teachers::Load(config_.run, model_->options(), tokenizers_, device_));
  if (group_ == nullptr) return absl::OkStatus();
  return CheckAgreement({{"the content of train.teacher", absl::StrCat(teachers_.content())}},
                        *group_);
}

absl::Status TrainingRun::MakeSequenceObjective() {
  const TrainOptions& train = config_.train;
  if (!LearnsFromOutputs(train.objective)) return absl::OkStatus();
  if (!hooks_.sample_outputs) {
    return absl::InvalidArgumentError(absl::StrCat("train.objective: ", EnumText(train.objective),
                                                   " needs a hook `sample_outputs`"));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(Reward reward,
                           Reward::Make(train.reward.metric, train.metric_options, data_->Train(),
                                        tokenizers_.target, data_->images != nullptr));
  sequence_objective_.emplace(train.objective, train.reward, std::move(reward),
                              hooks_.sample_outputs);
  return absl::OkStatus();
}

absl::Status TrainingRun::MakeTrainer() {
  TrainOptions options = config_.train;  // A copy: config.yaml keeps them as given.
  if (options.memory == 0 && device_.is_cpu()) {
    options.memory = UsableMemory();
    if (group_ != nullptr) options.memory /= std::max<int64_t>(group_->place().local_size, 1);
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(
      trainer_, Trainer::Create(options, config_.data.batch, model_, device_, data_->Train(),
                                data_->Valid(), MakeHooks(), group_));
  LogSetup(options.memory);
  return absl::OkStatus();
}

TrainerHooks TrainingRun::MakeHooks() const {
  TrainerHooks hooks;
  hooks.examples = data_->Transforms(tokenizers_, config_.train);
  if (!teachers_.empty())
    hooks.teach = [this](const Batch& batch) { return teachers_.Teach(batch); };
  if (sequence_objective_) {
    hooks.sample_outputs = [this](Model model, const Batch& batch, uint64_t seed) {
      return sequence_objective_->Sample(std::move(model), batch, seed);
    };
  }
  // Language models and pretraining have no sources to translate.
  if (hooks_.translate && !data_->valid[0].text.sources.empty())
    hooks.evaluate = [this](Model model) { return Evaluate(std::move(model)); };
  if (hooks_.sample && config_.train.samples > 0 && !data_->valid[0].text.sources.empty())
    hooks.sample = [this](Model model) { return Sample(std::move(model)); };
  hooks.facts = {{"processor", ProcessorName()},
                 {"device", device_.str()},
                 {"threads", absl::StrCat(torch::get_num_threads())},
                 {"precision", EnumText(config_.train.precision)},
                 {"processes", absl::StrCat(group_ != nullptr ? group_->size() : 1)}};
  hooks.on_progress = hooks_.on_progress;
  hooks.on_validation = hooks_.on_validation;
  hooks.on_warning = [](const std::string& warning) { Log(LogLevel::kWarning, warning); };
  hooks.stop_requested = hooks_.stop_requested;
  return hooks;
}

absl::StatusOr<std::map<std::string, double>> TrainingRun::Evaluate(Model model) const {
  MetricOptions options = config_.train.metric_options;
  options.subwords = [&tokenizer = tokenizers_.target](const std::string& line) {
    return absl::StrJoin(tokenizer.Subwords(tokenizer.Encode(line)), " ");
  };
  const std::vector<std::string>& names = config_.train.metric;
  std::map<std::string, double> metrics;
  for (const ValidationData& set : data_->valid) {
    // The first set is the one that plain names mean.
    const bool first = &set == data_->valid.data();
    const std::string prefix = first ? "" : set.name + ".";
    SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> translations,
                             Translate(model, set.text.sources));
    SEQ2SEQ_ASSIGN_OR_RETURN(
        const auto values,
        OutputMetrics(translations, set.text.references, names, first ? "" : set.name, options));
    for (const auto& [name, value] : values) metrics.emplace(prefix + name, value);
    const std::string command = prefix + kCommandMetric;
    if (std::find(names.begin(), names.end(), command) == names.end()) continue;
    SEQ2SEQ_ASSIGN_OR_RETURN(metrics[command], Judge(translations, set.name));
  }
  return metrics;
}

absl::StatusOr<std::vector<std::string>> TrainingRun::Translate(
    Model model, const std::vector<std::string>& lines) const {
  const auto ranks = static_cast<size_t>(group_ != nullptr ? group_->size() : 1);
  const auto rank = static_cast<size_t>(group_ != nullptr ? group_->rank() : 0);
  std::vector<std::string> mine;
  for (size_t i = rank; i < lines.size(); i += ranks) mine.push_back(lines[i]);
  const ValidationInput input = {mine, data_->MakeSource(tokenizers_), tokenizers_.target, device_};
  std::vector<std::string> translations;
  if (!mine.empty()) {
    SEQ2SEQ_ASSIGN_OR_RETURN(translations, hooks_.translate(std::move(model), input));
  }
  if (group_ == nullptr) return translations;
  SEQ2SEQ_RETURN_IF_ERROR(group_->Meet());
  using Json = nlohmann::json;
  const std::vector<std::string> of_ranks =
      group_->Gather(Json(translations).dump(-1, ' ', false, Json::error_handler_t::replace));
  translations.resize(lines.size());
  for (size_t of = 0; of < ranks; ++of) {
    size_t line = of;
    for (const Json& text : Json::parse(of_ranks[of])) {
      translations.at(line) = text.get<std::string>();
      line += ranks;
    }
  }
  return translations;
}

absl::StatusOr<double> TrainingRun::Judge(const std::vector<std::string>& translations,
                                          const std::string& set) const {
  absl::StatusOr<double> value = 0;
  if (IsFirst()) value = hooks_.judge(translations, set);
  SEQ2SEQ_RETURN_IF_ERROR(value.status());
  if (group_ == nullptr) return value;
  SEQ2SEQ_RETURN_IF_ERROR(group_->Meet());  // It may take its time.
  return group_->Gather(torch::full({1}, *value, torch::kFloat64))[0].item<double>();
}

absl::StatusOr<std::vector<ValidationSample>> TrainingRun::Sample(Model model) const {
  const ValidationText& text = data_->valid[0].text;
  const size_t count = std::min(static_cast<size_t>(config_.train.samples), text.sources.size());
  std::vector<size_t> chosen;  // Evenly spaced.
  std::vector<std::string> lines;
  for (size_t i = 0; i < count; ++i) {
    chosen.push_back(i * text.sources.size() / count);
    lines.push_back(text.sources[chosen.back()]);
  }
  const ValidationInput input = {lines, data_->MakeSource(tokenizers_), tokenizers_.target,
                                 device_};
  SEQ2SEQ_ASSIGN_OR_RETURN(std::vector<ValidationSample> samples,
                           hooks_.sample(std::move(model), input));
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i].source = lines[i];
    samples[i].reference = text.references[0][chosen[i]];
  }
  return samples;
}

void TrainingRun::LogSetup(int64_t memory) const {
  double millions = 0, frozen = 0;
  for (const auto& [name, parameter] : Parameters(*model_)) {
    const double size = static_cast<double>(parameter.numel()) / 1e6;
    millions += size;
    if (!parameter.requires_grad()) frozen += size;
  }
  Log(LogLevel::kInfo,
      absl::StrFormat(
          "model: %.1f million parameters%s on %s with %d threads, %s, %s; padding %.1f%%",
          millions, frozen > 0 ? absl::StrFormat(", %.1f of them frozen,", frozen) : "",
          device_.str(), torch::get_num_threads(), EnumText(config_.train.precision),
          model_->DescribePaths(), 100 * trainer_->padding_share()));
  if (trainer_->memory().estimate() > 0) {
    Log(LogLevel::kInfo,
        absl::StrFormat("memory: up to about %.0f of %.0f MB", trainer_->memory().estimate() / 1e6,
                        static_cast<double>(memory) / 1e6));
  }
  if (group_ != nullptr) {
    Log(LogLevel::kInfo,
        absl::StrCat("processes: ", group_->size(), ", each with its share of every batch"));
  }
  if (trainer_->state().update > 0) {
    Log(LogLevel::kInfo,
        absl::StrCat("resuming after update ", trainer_->state().update, " of ", folder_.path));
  }
}

}  // namespace seq2seq
