// `seq2seq train`: trains the model of a configuration into a run folder.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/file.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/profile.h"
#include "seq2seq/base/random.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/metrics/bleu.h"
#include "seq2seq/metrics/chrf.h"
#include "seq2seq/metrics/error_rate.h"
#include "seq2seq/search/translator.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/config.h"
#include "seq2seq/tools/machine.h"
#include "seq2seq/tools/signals.h"
#include "seq2seq/train/checkpoint.h"
#include "seq2seq/train/initial_weights.h"
#include "seq2seq/train/pin_file.h"
#include "seq2seq/train/trainer.h"
#include "seq2seq/train/training_data.h"
#include "seq2seq/weights/safetensors.h"

namespace seq2seq {
namespace {

struct TrainFlags {
  std::vector<std::string> configs;
  std::vector<std::string> overrides;
  bool allow_scripts = false;
  bool dump_config = false;
  bool profile = false;
};

absl::Status ReadConfig(const TrainFlags& flags, Config& config) {
  const OptionList options = ListOptions(config);
  for (const std::string& path : flags.configs) SEQ2SEQ_RETURN_IF_ERROR(ReadOptions(path, options));
  for (const std::string& assignment : flags.overrides) {
    SEQ2SEQ_RETURN_IF_ERROR(SetOption(assignment, options));
  }
  return absl::OkStatus();
}

// Refuses to resume a run of another model or other data, naming the first difference.
absl::Status CheckSameRun(const RunFolder& run, Config& config) {
  Config stored;
  SEQ2SEQ_RETURN_IF_ERROR(ReadOptions(run.Config(), ListOptions(stored)));
  // Determined when the run was started.
  if (config.model.image.channels == 0) config.model.image.channels = stored.model.image.channels;
  const OptionList before = ListOptions(stored);
  const OptionList now = ListOptions(config);
  for (size_t i = 0; i < now.size(); ++i) {
    const std::string& key = now[i].key;
    // A run without momentum has no momentum buffers to resume from.
    const bool memory_differs =
        (stored.train.optimizer.momentum > 0) != (config.train.optimizer.momentum > 0);
    const bool binds = key.rfind("model.", 0) == 0 || key.rfind("data.", 0) == 0 ||
                       key == "train.seed" || key == "train.optimizer.kind" ||
                       key == "train.metric" || key == "train.average" ||
                       (key == "train.optimizer.momentum" && memory_differs);
    if (binds && OptionText(before[i]) != OptionText(now[i])) {
      return absl::FailedPreconditionError(
          absl::StrCat(run.path, ": was started with ", key, " = ", OptionText(before[i]),
                       ", and is now given ", OptionText(now[i]), "; use another train.run"));
    }
  }
  return absl::OkStatus();
}

// Resolves train.precision: a resumed run keeps its precision unless another is requested.
absl::Status SettlePrecision(const RunFolder& run, torch::Device device, PrecisionChoice& choice) {
  if (choice == PrecisionChoice::kAuto && std::filesystem::exists(run.Latest())) {
    Config stored;
    SEQ2SEQ_RETURN_IF_ERROR(ReadOptions(run.Config(), ListOptions(stored)));
    choice = stored.train.precision;
    if (!HasPrecision(Resolve(choice, device), device)) {
      return absl::FailedPreconditionError(
          absl::StrCat("train.precision: ", run.path,
                       " was started in bf16, which this processor, or this build, does not "
                       "support; train.precision=fp32 continues in fp32"));
    }
  }
  choice = ChoiceOf(Resolve(choice, device));
  return absl::OkStatus();
}

// Checks the run folder, new or resumed, and writes its files other than checkpoints.
absl::Status PrepareRun(const RunFolder& run, const Tokenizers& tokenizers, Config& config) {
  // Either may have been written before the program was killed.
  const bool is_run = std::filesystem::exists(run.SourceTokenizer()) ||
                      std::filesystem::exists(run.TargetTokenizer());
  for (const char* begun : {"source.model.", "target.model."}) RemoveTemporaries(run.path, begun);
  if (!is_run && !std::filesystem::is_empty(run.path)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "train.run: ", run.path, " is not empty, and is not a run folder; use another"));
  }
  SEQ2SEQ_RETURN_IF_ERROR(CheckInside(run));
  RemoveTemporaries(run.path);
  RemoveTemporaries(run.Cache());
  SEQ2SEQ_RETURN_IF_ERROR(LinkLatest(run));
  if (std::filesystem::exists(run.Latest())) SEQ2SEQ_RETURN_IF_ERROR(CheckSameRun(run, config));
  if (tokenizers.source) {
    SEQ2SEQ_RETURN_IF_ERROR(PinFile(tokenizers.source->model(), "tokenizer",
                                    config.data.source_tokenizer, run.SourceTokenizer()));
  }
  SEQ2SEQ_RETURN_IF_ERROR(PinFile(tokenizers.target.model(), "tokenizer",
                                  config.data.target_tokenizer, run.TargetTokenizer()));
  return CreateFolders(run.Cache());
}

// BLEU, chrF and accuracy, the percentage of lines equal to the reference, of search on held-out
// sources: the values that `decode` with the same options and `eval` give.
absl::StatusOr<std::map<std::string, double>> Evaluate(const Translator& translator,
                                                       const HeldOutText& text,
                                                       const SearchOptions& options) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto translations, translator.Translate(text.sources, options));
  std::vector<std::string> hypotheses;
  for (const auto& candidates : translations) hypotheses.push_back(candidates[0].text);
  SEQ2SEQ_ASSIGN_OR_RETURN(const BleuScore bleu, CorpusBleu(hypotheses, text.references));
  SEQ2SEQ_ASSIGN_OR_RETURN(const ChrfScore chrf, CorpusChrf(hypotheses, text.references));
  SEQ2SEQ_ASSIGN_OR_RETURN(const ErrorRate errors, CorpusErrorRate(hypotheses, text.references));
  return std::map<std::string, double>{
      {"bleu", bleu.score}, {"chrf", chrf.score}, {"accuracy", errors.Accuracy()}};
}

std::string Clock(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  return absl::StrFormat("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string ProgressLine(const Progress& progress) {
  return absl::StrFormat(
      "update %6d | epoch %6.2f | loss %5.3f | ppl %8.2f | lr %.2e | %5.0f tok/s%s%s",
      progress.update, progress.epoch, progress.loss, progress.perplexity, progress.learning_rate,
      progress.tokens_per_second,
      progress.skipped > 0 ? absl::StrCat(" | ", progress.skipped, " updates skipped") : "",
      progress.remaining > 0 ? absl::StrCat(" | eta ", Clock(progress.remaining)) : "");
}

std::string ValidationLine(const Validation& validation) {
  std::string line = absl::StrFormat("update %6d | valid", validation.update);
  for (const auto& [name, value] : validation.metrics)
    absl::StrAppendFormat(&line, " | %s %.2f", name, value);
  return line;
}

TrainerHooks MakeHooks(const Tokenizers& tokenizers, const TrainingData& data, torch::Device device,
                       const SearchOptions& options) {
  TrainerHooks hooks;
  hooks.examples = data.Transforms(tokenizers);
  // A language model has no sources to translate.
  if (!data.held_out.sources.empty()) {
    hooks.evaluate = [&tokenizers, &data, device, options](Model model) {
      Translator translator(std::move(model), tokenizers.source, tokenizers.target,
                            {.device = device});
      if (data.images) {
        translator.read_image = [&data](const std::string& name) {
          return data.images->Read(name);
        };
      }
      return Evaluate(translator, data.held_out, options);
    };
  }
  hooks.on_progress = [](const Progress& progress) { spdlog::info("{}", ProgressLine(progress)); };
  hooks.on_validation = [](const Validation& validation) {
    spdlog::info("{}", ValidationLine(validation));
  };
  hooks.on_warning = [](const std::string& warning) { spdlog::warn("{}", warning); };
  hooks.stop_requested = StopRequested;
  return hooks;
}

// Prints the time per update of each phase.
void PrintProfile(const Trainer& trainer, int64_t updates) {
  const double seconds = trainer.update_seconds();
  const std::vector<std::string> names = EnumTexts(Phase());
  double rest = seconds;
  const auto print = [&](const std::string& name, double spent) {
    spdlog::info("{:<18} {:8.2f} ms per update {:5.1f}%", name,
                 1e3 * spent / static_cast<double>(updates), 100 * spent / seconds);
  };
  for (size_t i = 0; i < names.size(); ++i) {
    print(names[i], trainer.phase_seconds()[i]);
    rest -= trainer.phase_seconds()[i];
  }
  print("rest", rest);
}

absl::Status Train(Config& config, bool profile) {
  SEQ2SEQ_RETURN_IF_ERROR(TrainingData::Validate(config));
  SEQ2SEQ_RETURN_IF_ERROR(Validate(config.train));
  if (const absl::Status valid = Validate(config.validation, SearchLimits()); !valid.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("validation.", valid.message()));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const torch::Device device, ParseDevice(config.train.device));
  SEQ2SEQ_ASSIGN_OR_RETURN(const Tokenizers tokenizers, LoadTokenizers(config));
  SEQ2SEQ_RETURN_IF_ERROR(Validate(config.model));

  const RunFolder run{config.train.run};
  SEQ2SEQ_RETURN_IF_ERROR(CreateFolders(run.path));
  SEQ2SEQ_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Acquire(run.path));
  SEQ2SEQ_RETURN_IF_ERROR(PrepareRun(run, tokenizers, config));
  SEQ2SEQ_RETURN_IF_ERROR(SettlePrecision(run, device, config.train.precision));
  SetUpThreads(config.train.threads);
  SEQ2SEQ_ASSIGN_OR_RETURN(const TrainingData data,
                           TrainingData::Prepare(run, device, tokenizers, config));
  SEQ2SEQ_RETURN_IF_ERROR(WriteFile(run.Config(), PrintOptions(ListOptions(config))));

  torch::manual_seed(DeriveSeed({static_cast<uint64_t>(config.train.seed)}));
  Model model(config.model);
  model->train();
  // A resumed run has its weights already.
  if (!std::filesystem::exists(run.Latest())) {
    SEQ2SEQ_RETURN_IF_ERROR(
        SetInitialWeights(config.train, tokenizers.source, tokenizers.target, model));
  }
  TrainOptions options = config.train;  // A copy: config.yaml keeps them as given.
  if (options.memory == 0 && device.is_cpu()) options.memory = UsableMemory();
  SEQ2SEQ_ASSIGN_OR_RETURN(
      const std::unique_ptr<Trainer> trainer,
      Trainer::Create(options, config.data.batch, model, device, data.Train(), data.valid,
                      MakeHooks(tokenizers, data, device, config.validation)));
  double millions = 0, frozen = 0;
  for (const auto& [name, parameter] : Parameters(*model)) {
    millions += static_cast<double>(parameter.numel()) / 1e6;
    if (!parameter.requires_grad()) frozen += static_cast<double>(parameter.numel()) / 1e6;
  }
  spdlog::info("model: {:.1f} million parameters{} on {} with {} threads, {}, {}; padding {:.1f}%",
               millions, frozen > 0 ? absl::StrFormat(", %.1f of them frozen,", frozen) : "",
               device.str(), torch::get_num_threads(), EnumText(config.train.precision),
               model->DescribePaths(), 100 * trainer->padding_share());
  if (trainer->memory().estimate() > 0) {
    spdlog::info("memory: up to about {:.0f} of {:.0f} MB", trainer->memory().estimate() / 1e6,
                 static_cast<double>(options.memory) / 1e6);
  }
  if (trainer->state().update > 0)
    spdlog::info("resuming after update {} of {}", trainer->state().update, run.path);

  CatchStopSignals();
  const int64_t first_update = trainer->state().update;
  SEQ2SEQ_ASSIGN_OR_RETURN(const StopReason reason, trainer->Run());
  const int64_t updates = trainer->state().update - first_update;
  if (profile && updates > 0) PrintProfile(*trainer, updates);
  const Validation* best = StoredBest(run, trainer->state());
  spdlog::info("{}; saved {}{}", Text(reason), run.Step(trainer->state().update),
               best == nullptr ? "" : absl::StrCat("; best is update ", best->update));
  return absl::OkStatus();
}

absl::Status RunTrain(const TrainFlags& flags) {
  Config config;
  SEQ2SEQ_RETURN_IF_ERROR(ReadConfig(flags, config));
  config.model.image.network.allow_scripts = flags.allow_scripts;
  if (flags.dump_config) {
    std::cout << PrintOptions(ListOptions(config));
    return absl::OkStatus();
  }
  return Train(config, flags.profile);
}

}  // namespace

void AddTrain(CLI::App& program, absl::Status* status) {
  CLI::App* train = program.add_subcommand("train", "Trains a model, or resumes training");
  auto flags = std::make_shared<TrainFlags>();
  train
      ->add_option("-c,--config", flags->configs,
                   "A YAML configuration file; repeat for several, of which the last to set a key "
                   "counts")
      ->option_text("FILE")
      ->allow_extra_args(false);
  train
      ->add_option("settings", flags->overrides,
                   "Settings that override those of the files, as train.seed=2")
      ->option_text("key=value ...");
  train->add_flag("--allow-scripts", flags->allow_scripts,
                  "Run model.image.network.path in TorchScript: this executes code of its author");
  train->add_flag("--dump-config", flags->dump_config,
                  "Print the configuration and do nothing else");
  train->add_flag("--profile", flags->profile,
                  "Print the time per update of each phase at the end");
  Config defaults;
  train->footer(absl::StrCat("Configuration keys, their defaults and meaning:\n",
                             DescribeOptions(ListOptions(defaults))));
  train->callback([flags, status] { *status = RunTrain(*flags); });
}

}  // namespace seq2seq
