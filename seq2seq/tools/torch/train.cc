// `seq2seq train`: trains the model of a configuration into a run folder.
#include "seq2seq/tools/torch/train.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/heap.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/profile.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/task.h"
#include "seq2seq/model/scoring_model.h"
#include "seq2seq/search/translator.h"
#include "seq2seq/tools/child_process.h"
#include "seq2seq/tools/machine.h"
#include "seq2seq/tools/messages.h"
#include "seq2seq/tools/signals.h"
#include "seq2seq/tools/torch/config.h"
#include "seq2seq/tools/torch/launch.h"
#include "seq2seq/tools/torch/sample_outputs.h"
#include "seq2seq/tools/torch/summary.h"
#include "seq2seq/train/checkpoint.h"
#include "seq2seq/train/training_run.h"
#include "seq2seq/train/validation_metrics.h"

namespace seq2seq {
namespace {

struct TrainFlags {
  std::vector<std::string> configs;
  std::vector<std::string> overrides;
  bool allow_scripts = false;
  bool dump_config = false;
  bool profile = false;
  bool summary = false;
  int64_t processes = 1;
};

// The translations that `decode` with the same options gives.
absl::StatusOr<std::vector<std::string>> Translate(Model model, const ValidationInput& input,
                                                   const SearchOptions& options) {
  const Translator translator(MakeScoringModel(std::move(model), input.device, Precision::kFp32),
                              input.source, input.target);
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto candidates, translator.Translate(input.lines, options));
  std::vector<std::string> translations;
  for (const auto& of_line : candidates) translations.push_back(of_line[0].text);
  return translations;
}

absl::StatusOr<std::vector<ValidationSample>> Sample(Model model, const ValidationInput& input,
                                                     SearchOptions options) {
  const Translator translator(MakeScoringModel(std::move(model), input.device, Precision::kFp32),
                              input.source, input.target);
  options.attention = translator.has_attention();
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto candidates, translator.Translate(input.lines, options));
  std::vector<ValidationSample> samples;
  for (const std::vector<Candidate>& of_line : candidates) {
    const Candidate& best = of_line[0];
    ValidationSample& sample = samples.emplace_back();
    sample.output = best.text;
    if (best.alignment.source.empty()) continue;  // No attention, or to an image.
    sample.attention = best.alignment.weights;
    sample.source_subwords = best.alignment.source;
    sample.target_subwords = best.subwords;
    sample.target_subwords.emplace_back("</s>");
  }
  return samples;
}

std::string ProgressLine(const Progress& progress) {
  return absl::StrFormat(
      "update %6d | epoch %6.2f | loss %5.3f | ppl %8.2f%s | lr %.2e | %5.0f tok/s%s%s%s",
      progress.update, progress.epoch, progress.loss, progress.perplexity,
      progress.reward ? absl::StrFormat(" | reward %.4f", *progress.reward) : "",
      progress.learning_rate, progress.tokens_per_second,
      progress.processes > 1 ? absl::StrFormat(" | exchange %.0f%%", 100 * progress.exchanging)
                             : "",
      progress.skipped > 0 ? absl::StrCat(" | ", progress.skipped, " updates skipped") : "",
      progress.remaining > 0 ? absl::StrCat(" | eta ", ClockText(progress.remaining)) : "");
}

std::string ValidationLine(const Validation& validation) {
  std::string line = absl::StrFormat("update %6d | valid", validation.update);
  for (const auto& [name, value] : validation.metrics)
    absl::StrAppendFormat(&line, " | %s %.2f", name, value);
  return line;
}

// What train.metric_command makes of the outputs of a validation set.
absl::StatusOr<double> Judge(const std::string& command, const std::vector<std::string>& outputs,
                             const std::string& set) {
  std::string input;
  for (const std::string& line : outputs) absl::StrAppend(&input, line, "\n");
  const absl::StatusOr<std::string> text =
      RunShell(command, input, {absl::StrCat("SEQ2SEQ_VALIDATION_SET=", set)});
  if (!text.ok()) {
    return absl::AbortedError(
        absl::StrCat("train.metric_command: ", command, ": ", text.status().message()));
  }
  double value = 0;
  if (absl::SimpleAtod(absl::StripAsciiWhitespace(*text), &value) && std::isfinite(value))
    return value;
  return absl::InvalidArgumentError(absl::StrCat("train.metric_command: ", command,
                                                 ": expected it to print a number, found '",
                                                 text->substr(0, 100), "'"));
}

// Progress of training for the bar: by time, since any bound may be the first.
class TrainingTask {
 public:
  void Note(const Progress& progress) {
    last_ = progress;
    at_ = std::chrono::steady_clock::now();
    Show();
  }

  void Note(const Validation& validation, const std::string& metric) {
    const auto found = validation.metrics.find(metric);
    if (found == validation.metrics.end()) return;
    const double score = MetricScore(metric, found->second);
    if (best_.empty() || score > best_score_) {
      best_ = absl::StrFormat("%.2f", found->second);
      best_score_ = score;
    }
    score_ = absl::StrFormat(" | %s %.2f (best %s)", metric, found->second, best_);
    Show();
  }

  // To be called after each update.
  void Show() {
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - at_;
    const double passed = last_.seconds + since.count(), all = last_.seconds + last_.remaining;
    if (last_.remaining > 0) task_.Set(static_cast<int64_t>(kWhole * std::min(1.0, passed / all)));
    task_.SetNote(last_.update == 0 ? score_
                                    : absl::StrFormat("update %d | loss %.3f%s", last_.update,
                                                      last_.loss, score_));
  }

 private:
  static constexpr int64_t kWhole = 1'000'000;

  Task task_{"training", "", kWhole};
  Progress last_;
  std::chrono::steady_clock::time_point at_ = std::chrono::steady_clock::now();
  std::string score_, best_;
  double best_score_ = 0;
};

TrainingRunHooks MakeHooks(Config& config, std::optional<TrainingTask>& task) {
  TrainingRunHooks hooks;
  hooks.translate = [&config](Model model, const ValidationInput& input) {
    return Translate(std::move(model), input, config.validation);
  };
  hooks.sample = [&config](Model model, const ValidationInput& input) {
    return Sample(std::move(model), input, config.validation);
  };
  hooks.sample_outputs = [&config](Model model, const Batch& batch,
                                   const SamplingRequest& request) {
    return SampleOutputs(std::move(model), batch, request, config.validation);
  };
  hooks.judge = [&config](const std::vector<std::string>& outputs, const std::string& set) {
    return Judge(config.training.train.metric_command, outputs, set);
  };
  hooks.on_progress = [&task](const Progress& progress) {
    spdlog::info("{}", ProgressLine(progress));
    if (task) task->Note(progress);
  };
  hooks.on_validation = [&task, &config](const Validation& validation) {
    spdlog::info("{}", ValidationLine(validation));
    if (task) task->Note(validation, config.training.train.metric[0]);
  };
  hooks.stop_requested = [&task] {
    if (task) task->Show();
    return StopRequested();
  };
  for (const Option& option : ListOptions(config)) {
    if (absl::StartsWith(option.key, "validation.")) hooks.further_sections.push_back(option);
  }
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

// "; best is update 4540", or of several metrics "; best is update 4540 by bleu, 4994 by chrf".
std::string BestUpdates(const TrainingRun& run) {
  std::string text;
  const std::vector<std::string>& metrics = run.config().train.metric;
  for (const std::string& metric : metrics) {
    const Validation* best = StoredBest(run.folder(), run.trainer().state(), metric);
    if (best == nullptr) continue;
    absl::StrAppend(&text, text.empty() ? "; best is update " : ", ", best->update,
                    metrics.size() > 1 ? " by " + metric : "");
  }
  return text;
}

absl::Status Train(Config& config, const TrainFlags& flags, ProcessGroup* group) {
  if (const absl::Status valid = Validate(config.validation, SearchLimits()); !valid.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("validation.", valid.message()));
  }
  SetUpThreads(config.training.run.threads, group != nullptr ? group->place().local_size : 1);
  const ModelOptions& model = config.training.model;
  if (model.source == SourceKind::kImage &&
      model.image.network.kind == ImageNetworkKind::kTorchscript) {
    KeepFreedMemory();
  }
  std::optional<TrainingTask> task;
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<TrainingRun> run,
                           TrainingRun::Create(config.training, MakeHooks(config, task), group));
  const Trainer& trainer = run->trainer();
  if (flags.summary && (group == nullptr || group->rank() == 0))
    spdlog::info("\n{}", SummaryText(run->model()));
  const int64_t first_update = trainer.state().update;
  CatchStopSignals();
  if (group == nullptr || group->rank() == 0) task.emplace();
  const absl::StatusOr<StopReason> reason = run->Run();
  task.reset();
  SEQ2SEQ_RETURN_IF_ERROR(reason.status());
  const int64_t updates = trainer.state().update - first_update;
  if (flags.profile && updates > 0) PrintProfile(trainer, updates);
  if (group != nullptr && group->rank() > 0) return absl::OkStatus();
  spdlog::info("{}; saved {}{}", Text(*reason), run->folder().Step(trainer.state().update),
               BestUpdates(*run));
  return absl::OkStatus();
}

// Every process reads the configuration again, as its launcher started it.
absl::Status CheckIsFile(const std::string& config) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(config, ignored)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      config, ": with --processes, a configuration is a file, which every process reads"));
}

// Trains as one of several processes.
absl::Status TrainInGroup(Config& config, const TrainFlags& flags, const Rendezvous& place) {
  if (place.rank > 0) {
    spdlog::set_level(spdlog::level::warn);
    spdlog::set_pattern(absl::StrCat("%^[rank ", place.rank, "] %v%$"));
  }
  ProcessOptions options = config.training.train.processes;
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  if (options.interface.empty() && interface != nullptr) options.interface = interface;
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<ProcessGroup> group,
                           ProcessGroup::Connect(place, options));
  return Train(config, flags, group.get());
}

absl::Status RunTrain(const TrainFlags& flags) {
  SEQ2SEQ_ASSIGN_OR_RETURN(Config config, ReadConfig(flags.configs, flags.overrides));
  config.training.model.image.network.allow_scripts = flags.allow_scripts;
  if (flags.dump_config) {
    std::cout << PrintOptions(ListOptions(config));
    return absl::OkStatus();
  }
  if (!config.training.train.metric_command.empty() && !flags.allow_scripts) {
    return absl::InvalidArgumentError(
        absl::StrCat("train.metric_command: ", config.training.train.metric_command,
                     ": runs only with --allow-scripts"));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::optional<Rendezvous> place, ReadRendezvous());
  if (place && flags.processes > 1) {
    return absl::InvalidArgumentError(
        "--processes: this is one of several processes of a launcher already, as the environment "
        "variable RANK tells");
  }
  if (place) return TrainInGroup(config, flags, *place);
  if (flags.processes > 1) {
    for (const std::string& config : flags.configs) SEQ2SEQ_RETURN_IF_ERROR(CheckIsFile(config));
    SEQ2SEQ_RETURN_IF_ERROR(TrainingData::Validate(config.training));
    SEQ2SEQ_RETURN_IF_ERROR(Validate(config.training.train));
    SEQ2SEQ_RETURN_IF_ERROR(Validate(config.training.run));
    // They end by themselves when they notice that one is lost.
    return RunProcesses(flags.processes, config.training.train.processes.timeout + 20);
  }
  return Train(config, flags, /*group=*/nullptr);
}

}  // namespace

void DefineTrain(CLI::App& train, absl::Status* status) {
  auto flags = std::make_shared<TrainFlags>();
  train
      .add_option("-c,--config", flags->configs,
                  "A YAML configuration file; repeat for several, of which the last to set a key "
                  "counts")
      ->option_text("FILE")
      ->allow_extra_args(false);
  train
      .add_option("settings", flags->overrides,
                  "Settings that override those of the files, as train.seed=2")
      ->option_text("key=value ...");
  train.add_flag(
      "--allow-scripts", flags->allow_scripts,
      "Run model.image.network.path in TorchScript, and train.metric_command: this executes "
      "code of their authors");
  train.add_flag("--dump-config", flags->dump_config,
                 "Print the configuration and do nothing else");
  train.add_flag("--profile", flags->profile, "Print the time per update of each phase at the end");
  train.add_flag("--summary", flags->summary,
                 "Print the layers of the model and their parameters at the start, as inspect -c");
  train
      .add_option("--processes", flags->processes,
                  "Train in N processes on this machine, each with its share of every batch; a "
                  "launcher such as torchrun, srun or mpirun starts them on several machines")
      ->option_text("N")
      ->check(CLI::Range(1, 4096));
  Config defaults;
  train.footer(absl::StrCat("Configuration keys, their defaults and meaning:\n",
                            DescribeOptions(ListOptions(defaults))));
  train.callback([flags, status] { *status = RunTrain(*flags); });
}

}  // namespace seq2seq
