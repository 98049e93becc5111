#include "seq2seq/train/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/model/parameters.h"
#include "seq2seq/train/optimizer.h"
#include "seq2seq/train/validation_metrics.h"
#include "seq2seq/weights/safetensors.h"

namespace seq2seq {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LoaderPosition, epoch, batch)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Validation, update, scheduled, score, metrics)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainerState, update, position, seconds, corpus, valid, skipped,
                                   skipped_in_a_row, recoveries, rate_share, batches_per_epoch,
                                   validations)

namespace {

constexpr char kOptimizerFile[] = "/optimizer.safetensors";
constexpr char kStateFile[] = "/trainer.json";
constexpr size_t kMaxStateBytes = size_t{64} << 20;  // Some hundred thousand validations.

std::string StepName(const RunFolder& run, int64_t update) {
  return std::filesystem::path(run.Step(update)).filename().string();
}

// Points `link` of `run` to the checkpoint of `validation`; removes it where that is null.
absl::Status SetLink(const RunFolder& run, const std::string& link, const Validation* validation) {
  std::error_code code;
  const std::string before = std::filesystem::read_symlink(link, code).string();
  const std::string name = validation == nullptr ? "" : StepName(run, validation->update);
  if (name == before) return absl::OkStatus();
  return validation != nullptr ? ReplaceLink(name, link) : RemovePath(link);
}

}  // namespace

const Validation* TrainerState::Best() const {
  const Validation* best = nullptr;
  for (const Validation& validation : validations) {
    if (best == nullptr || validation.score > best->score) best = &validation;
  }
  return best;
}

std::vector<double> TrainerState::ScheduledScores() const {
  std::vector<double> scores;
  for (const Validation& validation : validations) {
    if (validation.scheduled) scores.push_back(validation.score);
  }
  return scores;
}

int64_t TrainerState::SinceBest() const {
  const std::vector<double> scores = ScheduledScores();
  if (scores.empty()) return 0;
  return std::prev(scores.end()) - std::max_element(scores.begin(), scores.end());
}

std::string ToText(const TrainerState& state) { return nlohmann::json(state).dump(1) + "\n"; }

absl::StatusOr<TrainerState> ParseTrainerState(const std::string& text) {
  try {
    nlohmann::json json = nlohmann::json::parse(text);
    for (const char* key :
         {"skipped", "skipped_in_a_row", "valid", "recoveries", "batches_per_epoch"}) {
      json.emplace(key, 0);
    }
    json.emplace("rate_share", 1);
    return json.get<TrainerState>();
  } catch (const nlohmann::json::exception& error) {
    return absl::DataLossError(error.what());
  }
}

const Validation* StoredBest(const RunFolder& run, const TrainerState& state,
                             const std::string& metric) {
  const Validation* best = nullptr;
  double best_score = 0;
  std::error_code ignored;
  for (const Validation& validation : state.validations) {
    double score = validation.score;
    if (!metric.empty()) {
      const auto found = validation.metrics.find(metric);
      if (found == validation.metrics.end()) continue;
      score = MetricScore(metric, found->second);
    }
    // Of equals, the earlier stays.
    if ((best == nullptr || score > best_score) &&
        std::filesystem::exists(run.Step(validation.update) + kWeightsFile, ignored)) {
      best = &validation;
      best_score = score;
    }
  }
  return best;
}

absl::Status LinkBest(const RunFolder& run, const TrainerState& state,
                      const std::vector<std::string>& metrics) {
  SEQ2SEQ_RETURN_IF_ERROR(SetLink(run, run.Best(), StoredBest(run, state)));
  for (size_t i = 0; metrics.size() > 1 && i < metrics.size(); ++i) {
    SEQ2SEQ_RETURN_IF_ERROR(SetLink(run, run.Best(metrics[i]), StoredBest(run, state, metrics[i])));
  }
  return absl::OkStatus();
}

absl::Status LinkLatest(const RunFolder& run) {
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(run.Latest(), ignored)))
    return absl::OkStatus();
  std::vector<int64_t> steps = StoredSteps(run);
  while (!steps.empty() && !std::filesystem::exists(run.Step(steps.back()) + kStateFile, ignored))
    steps.pop_back();
  return steps.empty() ? absl::OkStatus() : ReplaceLink(StepName(run, steps.back()), run.Latest());
}

void RemoveSteps(const RunFolder& run, const TrainerState& state, int64_t keep_last,
                 const std::vector<std::string>& metrics) {
  std::set<int64_t> best;  // Updates.
  const auto keep = [&](const Validation* validation) {
    if (validation != nullptr) best.insert(validation->update);
  };
  keep(StoredBest(run, state));
  for (const std::string& metric : metrics) keep(StoredBest(run, state, metric));
  const std::vector<int64_t> steps = StoredSteps(run);
  const auto end = std::upper_bound(steps.begin(), steps.end(), state.update);
  const auto kept = end - std::min<int64_t>(std::max<int64_t>(keep_last, 1), end - steps.begin());
  for (auto step = steps.begin(); step != steps.end(); ++step) {
    const bool is_late_or_old = step < kept || step >= end;
    if (is_late_or_old && best.count(*step) == 0) RemovePath(run.Step(*step)).IgnoreError();
  }
  RemoveTemporaries(run.path, "step-");
}

absl::Status SaveCheckpoint(const RunFolder& run, const TrainerState& state,
                            const TensorMap& weights, const TensorMap& optimizer_state,
                            int64_t keep_last, const std::vector<std::string>& metrics) {
  SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFolder folder, AtomicFolder::Create(run.Step(state.update)));
  SEQ2SEQ_RETURN_IF_ERROR(WriteTensors(folder.temporary() + kWeightsFile, weights));
  SEQ2SEQ_RETURN_IF_ERROR(WriteTensors(folder.temporary() + kOptimizerFile, optimizer_state));
  SEQ2SEQ_RETURN_IF_ERROR(WriteFile(folder.temporary() + kStateFile, ToText(state)));
  SEQ2SEQ_RETURN_IF_ERROR(folder.Commit());

  SEQ2SEQ_RETURN_IF_ERROR(LinkBest(run, state, metrics));
  SEQ2SEQ_RETURN_IF_ERROR(ReplaceLink(StepName(run, state.update), run.Latest()));
  RemoveSteps(run, state, keep_last, metrics);
  return absl::OkStatus();
}

absl::StatusOr<TrainerState> LoadCheckpoint(const RunFolder& run, const TensorMap& weights,
                                            const TensorMap& optimizer_state) {
  const std::string step = run.Latest();
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(step + kStateFile, kMaxStateBytes));
  const absl::StatusOr<TrainerState> state = ParseTrainerState(text);
  if (!state.ok()) {
    return absl::DataLossError(
        absl::StrCat(step, kStateFile, ": damaged: ", state.status().message()));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const ArrayMap saved_weights, ReadArrays(step + kWeightsFile));
  SEQ2SEQ_ASSIGN_OR_RETURN(TensorMap saved_state, ReadTensors(step + kOptimizerFile));
  SEQ2SEQ_RETURN_IF_ERROR(CheckFinite(saved_weights, step + kWeightsFile));
  AddCounts(state->update, saved_state);
  SEQ2SEQ_RETURN_IF_ERROR(AssignTensors(ToTensors(saved_weights), step + kWeightsFile, weights));
  SEQ2SEQ_RETURN_IF_ERROR(AssignTensors(saved_state, step + kOptimizerFile, optimizer_state));
  return *state;
}

}  // namespace seq2seq
