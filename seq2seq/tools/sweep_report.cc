#include "seq2seq/tools/sweep_report.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/file.h"
#include "seq2seq/base/json.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/utf8.h"
#include "seq2seq/tune/importance.h"
#include "seq2seq/tune/scheduler.h"
#include "seq2seq/tune/sweep_folder.h"
#include "seq2seq/tune/sweep_options.h"
#include "seq2seq/tune/trial.h"

namespace seq2seq {
namespace {

using Json = nlohmann::ordered_json;

Json ParametersJson(const SearchSpace& space) {
  Json list = Json::array();
  for (const Parameter& parameter : space.parameters()) {
    Json json = {{"key", parameter.key}, {"distribution", EnumText(parameter.distribution)}};
    if (parameter.distribution == Distribution::kCategorical) {
      json["values"] = parameter.values;
    } else {
      json["min"] = parameter.min;
      json["max"] = parameter.max;
    }
    list.push_back(std::move(json));
  }
  return list;
}

const char* State(const Trial& trial, size_t rungs) {
  if (trial.failed()) return "failed";
  if (trial.IsOpen()) return trial.held ? "running" : "stopped";
  return trial.complete || trial.results.size() == rungs ? "finished" : "waiting";
}

// The value of a point as the page shows it: a number or a text.
Json ValueJson(const SearchSpace& space, size_t index, double value) {
  if (space.parameters()[index].distribution != Distribution::kCategorical) return value;
  return space.Text(index, value);
}

// Seconds of training of a trial up to its last checkpoint; 0 before the first.
double TrainedSeconds(const std::string& run) {
  const absl::StatusOr<std::string> text = ReadFile(run + "/latest/trainer.json", 64 << 20);
  const absl::StatusOr<nlohmann::json> state = ParseJson(text.value_or(""));
  if (!state.ok() || !state->is_object()) return 0;
  const auto seconds = state->find("seconds");
  return seconds != state->end() && seconds->is_number() ? seconds->get<double>() : 0;
}

absl::StatusOr<Json> TrialJson(const Trial& trial, const Sweep& sweep, const SweepPaths& paths,
                               size_t rungs) {
  const SearchSpace& space = sweep.space;
  Json parameters = Json::object();
  for (size_t i = 0; i < space.size(); ++i) {
    if (trial.point[i])
      parameters[space.parameters()[i].key] = ValueJson(space, i, *trial.point[i]);
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(
      const std::vector<TrialValidation> validations,
      ReadTrialValidations(paths.Run(trial.number), sweep.options.metric.name));
  Json value = nullptr, update = 0;
  for (const TrialValidation& validation : validations) {
    const bool maximize = sweep.options.metric.goal == Goal::kMaximize;
    const bool better = value.is_null() || (maximize ? validation.value > value.get<double>()
                                                     : validation.value < value.get<double>());
    if (better) value = validation.value;
    update = validation.update;
  }
  Json values = Json::array();
  for (const TrialResult& result : trial.results)
    values.push_back({result.updates, result.value, result.seconds});
  return Json{{"number", trial.number},
              {"state", State(trial, rungs)},
              {"error", RepairUtf8(trial.error)},
              {"parameters", std::move(parameters)},
              {"value", value},
              {"update", update},
              {"seconds", TrainedSeconds(paths.Run(trial.number))},
              {"values", std::move(values)}};
}

Json ImportanceJson(const std::vector<Trial>& trials, const SearchSpace& space) {
  std::vector<Point> points;
  std::vector<double> scores;
  for (const Trial& trial : trials) {
    if (trial.results.empty()) continue;
    points.push_back(trial.point);
    scores.push_back(trial.results[0].value);
  }
  const std::vector<double> shares = Importance(space, points, scores);
  std::vector<std::pair<double, std::string>> ranked;
  for (size_t i = 0; i < space.size(); ++i)
    ranked.emplace_back(shares[i], space.parameters()[i].key);
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  Json json = Json::array();
  constexpr size_t kFewest = 5;  // Fewer trials tell nothing.
  if (points.size() < kFewest) return json;
  for (const auto& [share, key] : ranked) json.push_back({{"key", key}, {"share", share}});
  return json;
}

Json BestJson(const Trial* best, const SearchSpace& space, const SweepPaths& paths) {
  if (best == nullptr) return nullptr;
  const absl::StatusOr<std::string> config = ReadFile(paths.Best(), 1 << 20);
  const std::vector<std::string> settings = space.Assignments(best->point);
  Json json = {{"number", best->number}, {"value", best->results.back().value}};
  // The file is written at the end of the sweep.
  json["yaml"] = config.ok() ? RepairUtf8(*config) : absl::StrJoin(settings, "\n");
  json["command"] = config.ok() ? absl::StrCat("seq2seq train -c ", paths.Best(),
                                               " train.run=", paths.folder, "/best")
                                : "";
  return json;
}

}  // namespace

bool IsSweepFolder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(SweepPaths{path}.Sweep(), ignored);
}

absl::StatusOr<nlohmann::ordered_json> ReadSweepReport(const std::string& path) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const Sweep sweep, ReadStoredSweep(path));
  const SweepPaths paths = {path};
  const bool halves = sweep.options.early_terminate.type != EarlyTerminationType::kNone;
  const Scheduler scheduler(sweep, Rungs(sweep.options.early_terminate));
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<Trial> trials, ReadTrials(paths, sweep.space));
  SEQ2SEQ_ASSIGN_OR_RETURN(const double seconds, ReadClock(paths));
  Json report = {
      {"name", RepairUtf8(path)},
      {"method", EnumText(sweep.options.method)},
      {"metric",
       {{"name", sweep.options.metric.name}, {"goal", EnumText(sweep.options.metric.goal)}}},
      {"parameters", ParametersJson(sweep.space)},
      {"rungs", halves ? Json(scheduler.rungs()) : Json::array()},
      {"budget",
       {{"trials", sweep.options.budget.trials}, {"minutes", sweep.options.budget.minutes}}},
      {"seconds", seconds},
      {"trials", Json::array()}};
  for (const Trial& trial : trials) {
    SEQ2SEQ_ASSIGN_OR_RETURN(Json json, TrialJson(trial, sweep, paths, scheduler.rungs().size()));
    report["trials"].push_back(std::move(json));
  }
  report["importance"] = ImportanceJson(trials, sweep.space);
  report["best"] = BestJson(scheduler.Best(trials), sweep.space, paths);
  return report;
}

}  // namespace seq2seq
