#include "seq2seq/train/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/model/weights.h"

namespace seq2seq {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LoaderPosition, epoch, batch)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Validation, update, scheduled, score, metrics)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainerState, update, position, seconds, corpus, skipped,
                                   skipped_in_a_row, validations)

namespace {

constexpr char kOptimizerFile[] = "/optimizer.safetensors";
constexpr char kStateFile[] = "/trainer.json";

void RemoveOldSteps(const RunFolder& run, int64_t best, int64_t keep_last) {
  std::vector<int64_t> steps = StoredSteps(run);
  const auto kept =
      std::min<size_t>(steps.size(), static_cast<size_t>(std::max<int64_t>(keep_last, 1)));
  steps.resize(steps.size() - kept);
  for (const int64_t update : steps) {
    std::error_code ignored;
    if (update != best) std::filesystem::remove_all(run.Step(update), ignored);
  }
}

}  // namespace

const Validation* TrainerState::Best() const {
  const auto best =
      std::max_element(validations.begin(), validations.end(),
                       [](const Validation& a, const Validation& b) { return a.score < b.score; });
  return best == validations.end() ? nullptr : &*best;
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

absl::Status SaveCheckpoint(const RunFolder& run, const TrainerState& state,
                            const TensorMap& weights, const TensorMap& memory, int64_t keep_last) {
  const std::string step = run.Step(state.update);
  SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFolder folder, AtomicFolder::Create(step));
  SEQ2SEQ_RETURN_IF_ERROR(WriteTensors(folder.temporary() + kWeightsFile, weights));
  SEQ2SEQ_RETURN_IF_ERROR(WriteTensors(folder.temporary() + kOptimizerFile, memory));
  SEQ2SEQ_RETURN_IF_ERROR(
      WriteFile(folder.temporary() + kStateFile, nlohmann::json(state).dump(1) + "\n"));
  SEQ2SEQ_RETURN_IF_ERROR(folder.Commit());

  const std::string name = std::filesystem::path(step).filename().string();
  SEQ2SEQ_RETURN_IF_ERROR(ReplaceLink(name, run.Latest()));
  const Validation* best = state.Best();
  if (best != nullptr && best->update == state.update) {
    SEQ2SEQ_RETURN_IF_ERROR(ReplaceLink(name, run.Best()));
  }
  RemoveOldSteps(run, best == nullptr ? -1 : best->update, keep_last);
  return absl::OkStatus();
}

absl::StatusOr<TrainerState> LoadCheckpoint(const RunFolder& run, const TensorMap& weights,
                                            const TensorMap& memory) {
  const std::string step = run.Latest();
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string text, ReadFile(step + kStateFile));
  TrainerState state;
  try {
    nlohmann::json json = nlohmann::json::parse(text);
    for (const char* key : {"skipped", "skipped_in_a_row"})
      json.emplace(key, 0);  // Of older steps.
    state = json.get<TrainerState>();
  } catch (const nlohmann::json::exception& error) {
    return absl::DataLossError(absl::StrCat(step, kStateFile, ": damaged: ", error.what()));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const TensorMap saved_weights, ReadTensors(step + kWeightsFile));
  SEQ2SEQ_ASSIGN_OR_RETURN(const TensorMap saved_memory, ReadTensors(step + kOptimizerFile));
  SEQ2SEQ_RETURN_IF_ERROR(AssignTensors(saved_weights, step + kWeightsFile, weights));
  SEQ2SEQ_RETURN_IF_ERROR(AssignTensors(saved_memory, step + kOptimizerFile, memory));
  return state;
}

}  // namespace seq2seq
