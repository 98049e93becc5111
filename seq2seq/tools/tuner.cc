#include "seq2seq/tools/tuner.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include <spdlog/spdlog.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/file.h"
#include "seq2seq/base/memory_limit.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/yaml_keys.h"
#include "seq2seq/tools/child_process.h"
#include "seq2seq/tools/machine.h"
#include "seq2seq/tools/signals.h"
#include "seq2seq/tools/table.h"

namespace seq2seq {
namespace {

namespace fs = std::filesystem;

constexpr char kTokenizerPrefix[] = "tokenizer.";
constexpr auto kPoll = std::chrono::milliseconds(50);
constexpr size_t kTableRows = 10;

bool Exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// The configuration files of a sweep: the copies in its folder, once it has begun.
std::vector<std::string> ConfigFiles(const Sweep& sweep) {
  const SweepPaths paths = {sweep.options.folder};
  std::vector<std::string> files = sweep.options.config;
  for (size_t i = 0; Exists(paths.Sweep()) && i < files.size(); ++i) files[i] = paths.Config(i + 1);
  return files;
}

// The command line `seq2seq train` of a sweep, with further settings.
std::vector<std::string> TrainCommand(const Sweep& sweep, const std::vector<std::string>& flags,
                                      const std::vector<std::string>& settings) {
  std::vector<std::string> arguments = {"seq2seq", "train"};
  for (const std::string& file : ConfigFiles(sweep)) {
    arguments.insert(arguments.end(), {"-c", file});
  }
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  for (const auto* list : {&sweep.options.settings, &settings})
    arguments.insert(arguments.end(), list->begin(), list->end());
  return arguments;
}

// What `seq2seq train` makes of settings: config.yaml, or its error.
absl::StatusOr<std::string> DumpConfig(const Sweep& sweep,
                                       const std::vector<std::string>& settings) {
  return RunChild({TrainCommand(sweep, {"--dump-config"}, settings), EnvironmentWith({})});
}

// Checks that train knows all keys and values: every value of a list, both ends of a range.
absl::Status CheckValues(const Sweep& sweep) {
  size_t most = 0;
  const auto count = [&](size_t index) {
    const Parameter& parameter = sweep.space.parameters()[index];
    return parameter.values.empty() ? size_t{2} : parameter.values.size();
  };
  for (size_t i = 0; i < sweep.space.size(); ++i) most = std::max(most, count(i));
  for (size_t number = 0; number < most; ++number) {
    std::vector<std::string> settings;
    for (size_t i = 0; i < sweep.space.size(); ++i) {
      const Parameter& parameter = sweep.space.parameters()[i];
      if (absl::StartsWith(parameter.key, kTokenizerPrefix)) continue;
      const size_t value = number % count(i);
      const double number_value = !parameter.values.empty() ? static_cast<double>(value)
                                  : value == 0              ? parameter.min
                                                            : parameter.max;
      settings.push_back(absl::StrCat(parameter.key, "=", sweep.space.Text(i, number_value)));
    }
    SEQ2SEQ_RETURN_IF_ERROR(DumpConfig(sweep, settings).status());
  }
  return absl::OkStatus();
}

// The value of a key of config.yaml in the form of text.
absl::StatusOr<std::string> ValueOf(const std::string& config, const std::string& key) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto keys, ParseYamlKeys(config, "the configuration"));
  for (const auto& [name, value] : keys) {
    if (name == key) return value;
  }
  return absl::InternalError(absl::StrCat("the configuration has no ", key));
}

// The last line of a file of output; empty if it cannot be read.
std::string LastLineOf(const std::string& file) { return LastLine(ReadFile(file).value_or("")); }

bool IsHeld(const std::string& run) {
  return Exists(run) && absl::IsFailedPrecondition(FolderLock::Acquire(run).status());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Tuner>> Tuner::Create(const std::string& path, const Sweep& given,
                                                     const TunerOptions& options) {
  Sweep sweep = given;
  const bool begun = Exists(SweepPaths{sweep.options.folder}.Sweep());
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string config, DumpConfig(sweep, {}));
  EarlyTermination& early = sweep.options.early_terminate;
  if (early.type == EarlyTerminationType::kAsha && early.max == 0) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const std::string updates, ValueOf(config, "train.max_updates"));
    if (!absl::SimpleAtoi(updates, &early.max) || early.max < early.min) {
      return absl::InvalidArgumentError(absl::StrCat(
          path, ": early_terminate.max: expected the updates of the last rung, here or as ",
          "train.max_updates of the configuration, at least early_terminate.min, found ", updates));
    }
  }
  if (!begun) SEQ2SEQ_RETURN_IF_ERROR(CheckValues(sweep));
  SEQ2SEQ_ASSIGN_OR_RETURN(SweepFolder folder, SweepFolder::Open(path, sweep));
  std::unique_ptr<Tuner> tuner(new Tuner(sweep, options, std::move(folder)));
  if (sweep.options.parallel > 1) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const std::string memory, ValueOf(config, "train.memory"));
    if (memory == "0" && MemoryLimit() > 0)
      tuner->share_.push_back(
          absl::StrCat("train.memory=", UsableMemory() / sweep.options.parallel));
  }
  return tuner;
}

Tuner::Tuner(const Sweep& sweep, const TunerOptions& options, SweepFolder folder)
    : sweep_(sweep),
      options_(options),
      folder_(std::move(folder)),
      scheduler_(sweep_, Rungs(sweep_.options.early_terminate)) {
  std::vector<std::string> changes;
  if (sweep_.options.parallel > 1 && std::getenv("OMP_NUM_THREADS") == nullptr) {
    const int64_t threads = std::max<int64_t>(1, CountCores() / sweep_.options.parallel);
    changes.push_back(absl::StrCat("OMP_NUM_THREADS=", threads));
  }
  environment_ = EnvironmentWith(std::move(changes));
}

std::string Tuner::TokenizerOf(const Trial& trial) const {
  std::string name;
  for (const std::string& assignment : sweep_.space.Assignments(trial.point)) {
    if (absl::StartsWith(assignment, kTokenizerPrefix))
      absl::StrAppend(&name, name.empty() ? "" : ",",
                      assignment.substr(sizeof kTokenizerPrefix - 1));
  }
  if (name.empty()) return "";
  return absl::StrCat(folder_.paths().Tokenizers(), "/", absl::StrReplaceAll(name, {{"/", "%"}}),
                      ".model");
}

std::vector<std::string> Tuner::Settings(const Trial& trial) const {
  std::vector<std::string> settings;
  for (const std::string& assignment : sweep_.space.Assignments(trial.point)) {
    if (!absl::StartsWith(assignment, kTokenizerPrefix)) settings.push_back(assignment);
  }
  if (const std::string tokenizer = TokenizerOf(trial); !tokenizer.empty()) {
    settings.push_back(absl::StrCat("data.source_tokenizer=", tokenizer));
    settings.push_back(absl::StrCat("data.target_tokenizer=", tokenizer));
  }
  return settings;
}

std::vector<std::string> Tuner::TrainArguments(const Trial& trial) const {
  std::vector<std::string> settings = Settings(trial);
  settings.insert(settings.end(), share_.begin(), share_.end());
  settings.push_back(absl::StrCat("train.run=", folder_.paths().Run(trial.number)));
  const int64_t updates = scheduler_.rungs()[static_cast<size_t>(trial.rung)];
  if (updates > 0) settings.push_back(absl::StrCat("train.max_updates=", updates));
  std::vector<std::string> flags;
  if (options_.allow_scripts) flags.push_back("--allow-scripts");
  return TrainCommand(sweep_, flags, settings);
}

std::vector<std::string> Tuner::LearnArguments(const Job& job) const {
  std::vector<std::string> arguments = {"seq2seq", "tokenizer", "train", "-m", job.tokenizer};
  for (const std::string& file : sweep_.options.tokenizer_text)
    arguments.insert(arguments.end(), {"-i", file});
  for (const std::string& assignment : sweep_.space.Assignments(job.held.trial.point)) {
    if (!absl::StartsWith(assignment, kTokenizerPrefix)) continue;
    const std::vector<std::string> parts =
        absl::StrSplit(assignment.substr(sizeof kTokenizerPrefix - 1), absl::MaxSplits('=', 1));
    arguments.push_back(absl::StrCat("--", absl::StrReplaceAll(parts[0], {{"_", "-"}})));
    arguments.push_back(parts[1]);
  }
  return arguments;
}

absl::Status Tuner::StartNext(Job& job) const {
  const SweepPaths& paths = folder_.paths();
  const int64_t number = job.held.trial.number;
  std::vector<std::string> arguments;
  if (!job.tokenizer.empty() && !Exists(job.tokenizer)) {
    absl::StatusOr<FileLock> lock = FileLock::Acquire(job.tokenizer + ".lock");
    if (absl::IsFailedPrecondition(lock.status())) return absl::OkStatus();
    SEQ2SEQ_RETURN_IF_ERROR(lock.status());
    job.tokenizer_lock = *std::move(lock);
    arguments = LearnArguments(job);
  } else if (IsHeld(paths.Run(number))) {
    return absl::OkStatus();  // By a training that was left without its tuner, and will stop.
  } else {
    arguments = TrainArguments(job.held.trial);
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(job.child,
                           StartChild({std::move(arguments), environment_, paths.Output(number)}));
  return absl::OkStatus();
}

absl::StatusOr<Trial> Tuner::ResultOf(Trial trial, int status) const {
  const SweepPaths& paths = folder_.paths();
  if (status != 0) {
    const std::string line = LastLineOf(paths.Output(trial.number));
    const bool ended_itself = WIFEXITED(status) && !line.empty();
    trial.error = ended_itself ? line : absl::StrCat("training ", DescribeEnd(status));
    return trial;
  }
  const std::string& metric = sweep_.options.metric.name;
  SEQ2SEQ_ASSIGN_OR_RETURN(std::vector<TrialValidation> validations,
                           ReadTrialValidations(paths.Run(trial.number), metric));
  if (validations.empty()) {
    trial.error = absl::StrCat("metric.name: no validation has ", metric);
    return trial;
  }
  TrialResult result;
  result.updates = validations.back().update;
  const auto by_value = [](const auto& a, const auto& b) { return a.value < b.value; };
  const bool maximize = sweep_.options.metric.goal == Goal::kMaximize;
  result.value = (maximize ? std::max_element(validations.begin(), validations.end(), by_value)
                           : std::min_element(validations.begin(), validations.end(), by_value))
                     ->value;
  SEQ2SEQ_ASSIGN_OR_RETURN(result.seconds, ReadClock(paths));
  trial.results.push_back(result);
  trial.complete = result.updates < scheduler_.rungs()[static_cast<size_t>(trial.rung)];
  return trial;
}

absl::StatusOr<bool> Tuner::Finish(Job& job, int status) const {
  job.child = 0;
  const std::string output = folder_.paths().Output(job.held.trial.number);
  if (job.tokenizer_lock) {  // It was learnt; training is next.
    job.tokenizer_lock.reset();
    if (status == 0) return false;
  } else if (status == 0 && absl::StartsWith(LastLineOf(output), "stopped on request")) {
    return false;  // By someone else: it goes on.
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const Trial trial, ResultOf(job.held.trial, status));
  SEQ2SEQ_RETURN_IF_ERROR(Keep(trial));
  return true;
}

absl::Status Tuner::Keep(const Trial& trial) const {
  SEQ2SEQ_RETURN_IF_ERROR(folder_.Keep(trial));
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<Trial> trials, folder_.Trials());
  const std::string settings = absl::StrJoin(sweep_.space.Assignments(trial.point), " ");
  if (trial.failed()) {
    spdlog::warn("trial {:3} | failed: {} | {}", trial.number, trial.error, settings);
  } else {
    const Trial* best = scheduler_.Best(trials);
    const TrialResult& result = trial.results.back();
    spdlog::info("trial {:3} | {} updates | {} {:.5g} | best {:.5g}, trial {} | {}", trial.number,
                 result.updates, sweep_.options.metric.name, result.value,
                 best->results.back().value, best->number, settings);
  }
  constexpr size_t kFirst = 3;
  const bool all_failed =
      trials.size() >= kFirst &&
      std::all_of(trials.begin(), trials.end(), [](const Trial& other) { return other.failed(); });
  if (!all_failed) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat("all trials have failed, the last with: ", trials.back().error));
}

absl::StatusOr<bool> Tuner::IsTimeUp() {
  SEQ2SEQ_ASSIGN_OR_RETURN(const double seconds, folder_.Tick());
  return sweep_.options.budget.minutes > 0 && seconds >= 60 * sweep_.options.budget.minutes;
}

absl::Status Tuner::Run() {
  CatchStopSignals();
  const auto most = static_cast<size_t>(sweep_.options.parallel);
  std::vector<Job> jobs;
  bool at_end = false, told = false, time_up = false;
  absl::Status status;
  using Clock = std::chrono::steady_clock;
  Clock::time_point tick = Clock::now(), look = tick;
  while (!at_end || !jobs.empty()) {
    if (Clock::now() >= tick) {
      SEQ2SEQ_ASSIGN_OR_RETURN(time_up, IsTimeUp());
      tick = Clock::now() + std::chrono::seconds(1);
    }
    const bool stop = StopRequested() || time_up || !status.ok();
    if (stop && !told) {
      for (const Job& job : jobs) {
        if (job.child > 0) kill(job.child, SIGTERM);
      }
      told = true;
    }
    if (stop) {
      at_end = true;
      std::erase_if(jobs, [](const Job& job) { return job.child == 0; });
    } else if (jobs.size() < most && Clock::now() >= look) {
      bool wait = false;
      SEQ2SEQ_ASSIGN_OR_RETURN(std::optional<HeldTrial> next, folder_.TakeNext(scheduler_, wait));
      at_end = !next && !wait;
      if (next) {
        const std::string tokenizer = TokenizerOf(next->trial);
        jobs.push_back({*std::move(next), tokenizer, std::nullopt, 0});
      } else {  // What others train may become a promotion.
        look = Clock::now() + std::chrono::seconds(1);
      }
    }
    bool ended = false;
    for (auto job = jobs.begin(); job != jobs.end();) {
      if (job->child == 0 && status.ok() && !stop) status = StartNext(*job);
      int result = 0;
      if (job->child == 0 || waitpid(job->child, &result, WNOHANG) != job->child) {
        ++job;
        continue;
      }
      ended = true;
      if (told) {  // What it has done is in its checkpoint; the trial stays open.
        job = jobs.erase(job);
        continue;
      }
      if (status.ok()) status = folder_.Tick().status();  // The time of the result.
      const absl::StatusOr<bool> at_its_end = Finish(*job, result);
      if (!at_its_end.ok()) status = at_its_end.status();
      job = at_its_end.value_or(true) ? jobs.erase(job) : job + 1;
    }
    if (ended) look = Clock::now();
    if (!ended) std::this_thread::sleep_for(kPoll);
  }
  SEQ2SEQ_RETURN_IF_ERROR(IsTimeUp().status());
  if (time_up) spdlog::info("budget.minutes reached");
  if (StopRequested()) spdlog::info("stopped on request");
  return status;
}

absl::StatusOr<std::string> Tuner::Summary() const {
  SEQ2SEQ_ASSIGN_OR_RETURN(std::vector<Trial> trials, folder_.Trials());
  const Trial* found = scheduler_.Best(trials);
  if (found == nullptr) return std::string("no trial has a result yet\n");
  const Trial best = *found;
  Table table = {.header = {"trial", sweep_.options.metric.name, "updates"}};
  for (const Parameter& parameter : sweep_.space.parameters())
    table.header.push_back(parameter.key);
  while (table.rows.size() < kTableRows) {
    const Trial* next = scheduler_.Best(trials);
    if (next == nullptr) break;
    std::vector<std::string>& row = table.rows.emplace_back();
    row = {absl::StrCat(next->number), absl::StrFormat("%.5g", next->results.back().value),
           absl::StrCat(next->results.back().updates)};
    for (size_t i = 0; i < sweep_.space.size(); ++i)
      row.push_back(next->point[i] ? sweep_.space.Text(i, *next->point[i]) : "");
    trials[static_cast<size_t>(next->number - 1)].results.clear();
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string config, DumpConfig(sweep_, Settings(best)));
  const std::string file = folder_.paths().Best();
  SEQ2SEQ_RETURN_IF_ERROR(WriteFile(file, config));
  return absl::StrCat(TextTable(table), "\nbest: trial ", best.number, ", ",
                      folder_.paths().Run(best.number), "; its configuration is ", file,
                      "\ntrain it in full:\n  seq2seq train -c ", file,
                      " train.run=", folder_.paths().folder, "/best\n");
}

}  // namespace seq2seq
