#include "seq2seq/tools/run_report.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "seq2seq/base/json.h"
#include "seq2seq/base/line_reader.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/utf8.h"
#include "seq2seq/base/yaml_keys.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/tools/sweep_report.h"
#include "seq2seq/weights/safetensors.h"

namespace seq2seq {
namespace {

using Json = nlohmann::ordered_json;

// Nesting of an event with attention weights.
constexpr int64_t kEventDepth = 8;

// Events of one kind as columns, which are filled up with null where an event lacks a number.
class Columns {
 public:
  void Add(const Json& event) {
    for (const auto& [key, value] : event.items()) {
      if (value.is_number() || value.is_null()) Column(key).push_back(value);
    }
    ++rows_;
    for (auto& [key, column] : columns_) column.resize(rows_);
  }

  // A column, which is new if no event had the key.
  std::vector<Json>& Column(const std::string& key) {
    for (auto& [name, column] : columns_) {
      if (name == key) return column;
    }
    return columns_.emplace_back(key, std::vector<Json>(rows_)).second;
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& [name, column] : columns_) names.push_back(name);
    return names;
  }

  Json ToJson() const {
    Json json = Json::object();
    for (const auto& [name, column] : columns_) json[name] = column;
    return json;
  }

 private:
  std::vector<std::pair<std::string, std::vector<Json>>> columns_;  // In the order of appearance.
  size_t rows_ = 0;
};

double Number(const Json& event, const char* key) {
  const auto found = event.find(key);
  return found != event.end() && found->is_number() ? found->get<double>() : 0;
}

// Norms of modules over time, which all events that have them have alike.
class Norms {
 public:
  void Add(const Json& event) {
    const auto modules = event.find("norms");
    if (modules == event.end() || !modules->is_object()) return;
    updates_.push_back(event.value("update", Json()));
    for (const auto& [module, norms] : modules->items()) {
      for (const char* kind : kKinds) {
        std::vector<Json>& row = rows_[module][kind];
        row.resize(updates_.size() - 1);
        row.push_back(norms.is_object() ? norms.value(kind, Json()) : Json());
      }
    }
  }

  Json ToJson() const {
    if (updates_.empty()) return nullptr;
    Json json = {{"update", updates_}, {"modules", Json::array()}};
    for (const auto& [module, kinds] : rows_) {
      json["modules"].push_back(module);
      for (const char* kind : kKinds) {
        std::vector<Json> row = kinds.at(kind);
        row.resize(updates_.size());
        json[kind].push_back(std::move(row));
      }
    }
    return json;
  }

 private:
  static constexpr const char* kKinds[] = {"gradient", "weight", "saturated"};

  std::vector<Json> updates_;
  std::map<std::string, std::map<std::string, std::vector<Json>>> rows_;
};

// Position of training at an update, for events that do not have it themselves.
struct Position {
  double update = 0;
  double epoch = 0;
  double seconds = 0;
  double tokens = 0;
};

// The position at `update`, in a straight line between those of progress around it.
Position At(const std::vector<Position>& positions, double update) {
  const auto after =
      std::find_if(positions.begin(), positions.end(),
                   [&](const Position& position) { return position.update >= update; });
  if (after == positions.end()) return positions.empty() ? Position() : positions.back();
  const Position before = after == positions.begin() ? Position() : *(after - 1);
  const double range = after->update - before.update;
  const double share = range > 0 ? (update - before.update) / range : 1;
  return {update, before.epoch + share * (after->epoch - before.epoch),
          before.seconds + share * (after->seconds - before.seconds),
          before.tokens + share * (after->tokens - before.tokens)};
}

// The events of a log.
struct Events {
  Columns progress;
  Columns validation;
  Norms norms;
  std::vector<Position> positions;  // Of progress.
  Json samples = Json::array();
  Json start = Json::object();  // The last one.
};

void AddProgress(const Json& event, Events& events) {
  const Position before = events.positions.empty() ? Position() : events.positions.back();
  Position now = {Number(event, "update"), Number(event, "epoch"), Number(event, "seconds")};
  now.tokens = before.tokens +
               Number(event, "tokens_per_second") * std::max(now.seconds - before.seconds, 0.0);
  events.positions.push_back(now);
  Json with_tokens = event;
  with_tokens["tokens"] = static_cast<int64_t>(now.tokens);
  events.progress.Add(with_tokens);
  events.norms.Add(event);
}

absl::StatusOr<Events> ReadEvents(const std::string& log) {
  Events events;
  std::error_code ignored;
  if (!std::filesystem::exists(log, ignored)) return events;
  std::vector<Json> validations;
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<LineReader> reader, LineReader::Open(log));
  std::string line;
  while (true) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const bool more, reader->Next(line));
    if (!more) break;
    absl::StatusOr<nlohmann::json> parsed = ParseJson(line, {.depth = kEventDepth});
    if (!parsed.ok() || !parsed->is_object()) continue;
    const Json event = *parsed;
    const std::string kind = event.value("event", "");
    if (kind == "progress") AddProgress(event, events);
    if (kind == "validation") validations.push_back(event);
    if (kind == "start") events.start = event;
    if (kind == "samples" && event.contains("lines")) {
      events.samples.push_back(
          {{"update", event.value("update", Json())}, {"lines", event["lines"]}});
    }
  }
  // At the end, when the progress on both sides of each is known.
  for (Json& validation : validations) {
    const Position position = At(events.positions, Number(validation, "update"));
    validation["epoch"] = position.epoch;
    validation["tokens"] = static_cast<int64_t>(position.tokens);
    events.validation.Add(validation);
  }
  return events;
}

// The metric and update of the best checkpoint.
Json Best(const RunFolder& run, const Json& config) {
  std::error_code error;
  const std::string step = std::filesystem::read_symlink(run.Best(), error).filename().string();
  int64_t update = 0;
  if (error || !absl::StartsWith(step, "step-") || !absl::SimpleAtoi(step.substr(5), &update)) {
    return nullptr;
  }
  const std::string metrics = config.value("train.metric", "");  // One, or a list.
  const absl::string_view list = absl::StripPrefix(absl::StripSuffix(metrics, "]"), "[");
  return {{"metric", list.substr(0, list.find(','))}, {"update", update}};
}

// Of the last checkpoint; none before the first.
absl::StatusOr<Json> Parameters(const RunFolder& run) {
  Json parameters = Json::array();
  const std::string weights = run.Latest() + kWeightsFile;
  std::error_code ignored;
  // An exported model has the best checkpoint alone.
  const std::string file =
      std::filesystem::exists(weights, ignored) ? weights : run.Best() + kWeightsFile;
  if (!std::filesystem::exists(file, ignored)) return parameters;
  SEQ2SEQ_ASSIGN_OR_RETURN(const ArrayMap arrays, ReadArrays(file));
  for (const auto& [name, array] : arrays) {
    parameters.push_back(
        {{"name", RepairUtf8(name)}, {"shape", array.shape}, {"count", array.size()}});
  }
  return parameters;
}

// The metrics of validations of which lower values are better, also of further validation sets.
Json LowerIsBetter(const Columns& validation) {
  Json lower = Json::array();
  for (const std::string& name : validation.Names()) {
    const std::string metric = name.substr(name.rfind('.') + 1);
    for (const char* known : {"loss", "perplexity", "wer", "cer", "per"}) {
      if (metric == known) lower.push_back(name);
    }
  }
  return lower;
}

Json Facts(const Events& events, const Json& parameters) {
  Json facts = Json::object();
  for (const auto& [key, value] : events.start.items()) {
    if (key != "event" && key != "update") facts[key] = value;
  }
  if (!events.positions.empty()) {
    facts["seconds"] = events.positions.back().seconds;
    facts["updates"] = static_cast<int64_t>(events.positions.back().update);
  }
  int64_t count = 0;
  for (const Json& parameter : parameters) count += parameter["count"].get<int64_t>();
  if (count > 0) facts["parameters"] = count;
  return facts;
}

}  // namespace

absl::StatusOr<nlohmann::ordered_json> ReadRunReport(const std::string& path) {
  const RunFolder run{path};
  std::error_code ignored;
  if (!std::filesystem::exists(run.Config(), ignored)) {
    return absl::NotFoundError(absl::StrCat(path, ": not a run folder: it has no config.yaml"));
  }
  SEQ2SEQ_RETURN_IF_ERROR(CheckInside(run));
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto keys, ReadYamlKeys(run.Config()));
  Json config = Json::object();
  for (const auto& [key, value] : keys) config[RepairUtf8(key)] = RepairUtf8(value);
  SEQ2SEQ_ASSIGN_OR_RETURN(const Events events, ReadEvents(run.Log()));
  SEQ2SEQ_ASSIGN_OR_RETURN(Json parameters, Parameters(run));
  Json report = {{"name", RepairUtf8(path)}};
  report["facts"] = Facts(events, parameters);
  report["best"] = Best(run, config);
  report["lower_is_better"] = LowerIsBetter(events.validation);
  report["progress"] = events.progress.ToJson();
  report["validation"] = events.validation.ToJson();
  report["norms"] = events.norms.ToJson();
  report["samples"] = events.samples;
  report["config"] = std::move(config);
  report["parameters"] = std::move(parameters);
  return report;
}

absl::StatusOr<nlohmann::ordered_json> ReadReports(const std::vector<std::string>& paths,
                                                   bool live) {
  std::vector<std::string> names;
  for (const std::string& path : paths) {
    const std::string folder(absl::StripSuffix(path, "/"));
    names.push_back(std::filesystem::path(folder).filename().string());
  }
  Json data = {
      {"title", RepairUtf8(absl::StrJoin(names, ", "))},
      {"generated", absl::FormatTime("%Y-%m-%d %H:%M", absl::Now(), absl::LocalTimeZone())},
      {"live", live}};
  if (paths.size() == 1 && IsSweepFolder(paths[0])) {
    SEQ2SEQ_ASSIGN_OR_RETURN(data["sweep"], ReadSweepReport(paths[0]));
    return data;
  }
  data["runs"] = Json::array();
  for (const std::string& path : paths) {
    if (IsSweepFolder(path)) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": is the folder of a sweep, which has a page of its own"));
    }
    SEQ2SEQ_ASSIGN_OR_RETURN(Json report, ReadRunReport(path));
    data["runs"].push_back(std::move(report));
  }
  return data;
}

}  // namespace seq2seq
