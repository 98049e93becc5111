#include "seq2seq/tune/sweep_folder.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "seq2seq/base/file.h"
#include "seq2seq/base/json.h"
#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

namespace fs = std::filesystem;

constexpr char kTrialPrefix[] = "trial-";
constexpr size_t kMaxTrialBytes = 1 << 20;

double Now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// What a sweep keeps when it goes on.
OptionList BindingOptions(SweepOptions& options) {
  OptionList binding;
  for (const Option& option : ListOptions(options)) {
    const bool may_change = absl::StartsWith(option.key, "budget.") || option.key == "parallel" ||
                            option.key == "folder" || option.key == "config";
    if (!may_change) binding.push_back(option);
  }
  return binding;
}

// The first difference between two sweeps; empty if one goes on with the other.
std::string Difference(Sweep stored, Sweep now) {
  const OptionList before = BindingOptions(stored.options), after = BindingOptions(now.options);
  for (size_t i = 0; i < after.size(); ++i) {
    if (OptionText(before[i]) != OptionText(after[i])) {
      return absl::StrCat(after[i].key, " = ", OptionText(before[i]), ", and is now given ",
                          OptionText(after[i]));
    }
  }
  if (stored.options.config.size() != now.options.config.size())
    return absl::StrCat("config of ", stored.options.config.size(), " files");
  const auto& old = stored.space.parameters();
  for (size_t i = 0; i < std::max(old.size(), now.space.size()); ++i) {
    if (i >= old.size() || i >= now.space.size()) return "another number of parameters";
    if (!(old[i] == now.space.parameters()[i]))
      return absl::StrCat("another range or place of the parameter ",
                          now.space.parameters()[i].key);
  }
  return "";
}

// Copies the sweep and its configuration files into its folder; sweep.yaml, the last, makes it one.
absl::Status Begin(const std::string& path, const Sweep& sweep, const SweepPaths& paths) {
  for (size_t i = 0; i < sweep.options.config.size(); ++i) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(sweep.options.config[i], 1 << 20));
    SEQ2SEQ_RETURN_IF_ERROR(WriteFile(paths.Config(i + 1), text));
  }
  SEQ2SEQ_RETURN_IF_ERROR(CreateFolders(paths.Tokenizers()));
  Sweep stored = sweep;
  const OptionList options = ListOptions(stored.options);
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string parameters, ReadOtherSections(path, options));
  return WriteFile(paths.Sweep(), PrintOptions(options) + parameters);
}

// How long a sweep has taken, in seconds, and when that was counted, in seconds since 1970.
struct SweepClock {
  double seconds = 0;
  double last = 0;
};

absl::StatusOr<SweepClock> ReadSweepClock(const std::string& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return SweepClock();
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxTrialBytes));
  const absl::StatusOr<nlohmann::json> json = ParseJson(text);
  try {
    if (json.ok())
      return SweepClock{json->at("seconds").get<double>(), json->at("last").get<double>()};
  } catch (const nlohmann::json::exception&) {
  }
  return absl::DataLossError(absl::StrCat(file, ": damaged; without it, the time counts from 0"));
}

absl::StatusOr<Trial> ReadTrial(const std::string& file, const SearchSpace& space) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxTrialBytes));
  absl::StatusOr<Trial> trial = ParseTrial(text, space);
  if (trial.ok()) return trial;
  return absl::DataLossError(absl::StrCat(file, ": damaged: ", trial.status().message()));
}

}  // namespace

std::string SweepPaths::Config(size_t number) const {
  return absl::StrCat(folder, "/config-", number, ".yaml");
}

std::string SweepPaths::Trial(int64_t number) const {
  return absl::StrCat(folder, "/", kTrialPrefix, number);
}

absl::StatusOr<SweepFolder> SweepFolder::Open(const std::string& path, const Sweep& sweep) {
  const SweepPaths paths = {sweep.options.folder};
  SEQ2SEQ_RETURN_IF_ERROR(CreateFolders(paths.folder));
  SweepFolder folder(paths, sweep.space);
  SEQ2SEQ_ASSIGN_OR_RETURN(const FileLock lock, folder.Lock());
  if (!fs::exists(paths.Sweep())) {
    for (const auto& entry : fs::directory_iterator(paths.folder)) {
      const std::string name = entry.path().filename().string();
      const bool begun =
          name == ".lock" || name == "tokenizers" || absl::StartsWith(name, "config-");
      if (!begun) {
        return absl::FailedPreconditionError(absl::StrCat(
            "folder: ", paths.folder, " is not empty, and is not that of a sweep; use another"));
      }
    }
    SEQ2SEQ_RETURN_IF_ERROR(Begin(path, sweep, paths));
    return folder;
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(Sweep stored, ReadStoredSweep(paths.folder));
  if (const std::string difference = Difference(std::move(stored), sweep); !difference.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(paths.folder, ": was started with ", difference, "; use another folder"));
  }
  return folder;
}

absl::StatusOr<FileLock> SweepFolder::Lock() const {
  constexpr double kPatience = 60;  // Seconds; it is held for milliseconds.
  return FileLock::Await(paths_.folder + "/.lock", kPatience);
}

absl::StatusOr<std::optional<HeldTrial>> SweepFolder::TakeNext(const Scheduler& scheduler,
                                                               bool& wait) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const FileLock lock, Lock());
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<Trial> trials, Trials());
  NextTrial next = scheduler.Next(trials);
  wait = next.wait;
  if (!next.trial) return std::nullopt;
  SEQ2SEQ_RETURN_IF_ERROR(CreateFolders(paths_.Trial(next.trial->number)));
  SEQ2SEQ_ASSIGN_OR_RETURN(FileLock held,
                           FileLock::Acquire(paths_.Trial(next.trial->number) + "/.lock"));
  SEQ2SEQ_RETURN_IF_ERROR(Keep(*next.trial));
  return HeldTrial{*std::move(next.trial), std::move(held)};
}

absl::Status SweepFolder::Keep(const Trial& trial) const {
  return WriteFile(paths_.TrialFile(trial.number), ToText(trial, space_));
}

absl::StatusOr<double> SweepFolder::Tick() {
  SEQ2SEQ_ASSIGN_OR_RETURN(const FileLock lock, Lock());
  SEQ2SEQ_ASSIGN_OR_RETURN(SweepClock clock, ReadSweepClock(paths_.Clock()));
  const double now = Now();
  // What another process has counted since this one's last call is not counted twice.
  if (ticked_ > 0) {
    clock.seconds += std::max(0.0, now - std::max(clock.last, ticked_));
    const nlohmann::ordered_json json = {{"seconds", clock.seconds}, {"last", now}};
    SEQ2SEQ_RETURN_IF_ERROR(WriteFile(paths_.Clock(), json.dump() + "\n"));
  }
  ticked_ = now;
  return clock.seconds;
}

absl::StatusOr<std::vector<Trial>> ReadTrials(const SweepPaths& paths, const SearchSpace& space) {
  std::vector<Trial> trials;
  for (int64_t number = 1;; ++number) {
    const std::string file = paths.TrialFile(number);
    std::error_code ignored;
    if (!fs::exists(file, ignored)) return trials;
    SEQ2SEQ_ASSIGN_OR_RETURN(Trial trial, ReadTrial(file, space));
    if (trial.IsOpen()) {
      trial.held =
          absl::IsFailedPrecondition(FileLock::Acquire(paths.Trial(number) + "/.lock").status());
    }
    trials.push_back(std::move(trial));
  }
}

absl::StatusOr<Sweep> ReadStoredSweep(const std::string& folder) {
  const SweepPaths paths = {folder};
  std::error_code ignored;
  if (!fs::exists(paths.Sweep(), ignored))
    return absl::NotFoundError(
        absl::StrCat(folder, ": not the folder of a sweep: it has no sweep.yaml"));
  return ReadSweep(paths.Sweep(), {});
}

absl::StatusOr<double> ReadClock(const SweepPaths& paths) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const SweepClock clock, ReadSweepClock(paths.Clock()));
  return clock.seconds;
}

absl::StatusOr<std::vector<TrialValidation>> ReadTrialValidations(const std::string& run,
                                                                  const std::string& metric) {
  std::vector<TrialValidation> validations;
  const std::string log = run + "/log.jsonl";
  std::error_code ignored;
  if (!fs::exists(log, ignored)) return validations;
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<LineReader> reader, LineReader::Open(log));
  std::string line;
  while (true) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const bool more, reader->Next(line));
    if (!more) return validations;
    if (!absl::StrContains(line, "\"validation\"")) continue;
    const absl::StatusOr<nlohmann::json> event = ParseJson(line);
    if (!event.ok() || !event->is_object()) continue;
    const auto value = event->find(metric), update = event->find("update");
    if (value == event->end() || update == event->end()) continue;
    if (!value->is_number() || !update->is_number_integer()) continue;
    validations.push_back({update->get<int64_t>(), value->get<double>()});
  }
}

}  // namespace seq2seq
