// `seq2seq average`: checkpoint averaging, the mean of the weights of several checkpoints.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "seq2seq/base/status_macros.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/tools/command.h"
#include "seq2seq/tools/model_folder.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {
namespace {

struct AverageFlags {
  std::vector<std::string> models;
  std::string output;
  int64_t last = 5;
};

// The last `count` checkpoints of a run folder, oldest first; for a checkpoint, itself.
absl::StatusOr<std::vector<std::string>> StepsOf(const std::string& path, int64_t count) {
  if (std::filesystem::exists(path + kWeightsFile)) return std::vector<std::string>{path};
  SEQ2SEQ_RETURN_IF_ERROR(FindModel(path).status());
  const std::vector<int64_t> updates = StoredSteps({path});
  std::vector<std::string> steps;
  const size_t kept = std::min(updates.size(), static_cast<size_t>(count));
  for (size_t i = updates.size() - kept; i < updates.size(); ++i)
    steps.push_back(RunFolder{path}.Step(updates[i]));
  return steps;
}

// InvalidArgument, naming the checkpoint `step`, unless `weights` have the names and shapes of
// `sums`, which are those of the checkpoint `first`.
absl::Status CheckFit(const std::string& step, const ArrayMap& weights, const std::string& first,
                      const ArrayMap& sums) {
  for (const auto& [name, sum] : sums) {
    const auto found = weights.find(name);
    if (found == weights.end()) {
      return absl::InvalidArgumentError(absl::StrCat(step, ": has no tensor '", name, "', which ",
                                                     first, " has as ", ShapeText(sum.shape)));
    }
    if (found->second.shape != sum.shape) {
      return absl::InvalidArgumentError(absl::StrCat(step, ": tensor '", name, "' is ",
                                                     ShapeText(found->second.shape), ", in ", first,
                                                     " it is ", ShapeText(sum.shape)));
    }
  }
  for (const auto& [name, array] : weights) {
    if (sums.count(name) == 0) {
      return absl::InvalidArgumentError(absl::StrCat(step, ": has a tensor '", name, "' ",
                                                     ShapeText(array.shape), ", which ", first,
                                                     " does not have"));
    }
  }
  return absl::OkStatus();
}

// Sums of fp32 without addends, of the shapes of `weights`.
ArrayMap Zeros(const ArrayMap& weights) {
  ArrayMap sums;
  for (const auto& [name, array] : weights) {
    Array& sum = sums.emplace(name, Array::Empty(ArrayType::kFloat32, array.shape)).first->second;
    std::fill_n(sum.values<float>(), sum.size(), 0.0f);
  }
  return sums;
}

// Adds `array` to `sum`, of fp32 and the same shape.
void AddTo(Array& sum, const Array& array) {
  const Array addend = ToFloat32(array);
  float* const sums = sum.values<float>();
  for (int64_t i = 0; i < sum.size(); ++i) sums[i] += addend.values<float>()[i];
}

absl::Status RunAverage(const AverageFlags& flags) {
  std::vector<std::string> steps;
  for (const std::string& model : flags.models) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const auto found, StepsOf(model, flags.last));
    steps.insert(steps.end(), found.begin(), found.end());
  }
  if (steps.size() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("--model: ", absl::StrJoin(flags.models, ", "), ": found only ", steps.size(),
                     " checkpoint; averaging needs at least 2 (see train.keep_last)"));
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const StoredModel last, FindModel(steps.back()));
  ArrayMap means;
  for (const std::string& step : steps) {
    SEQ2SEQ_ASSIGN_OR_RETURN(const StoredModel stored, FindModel(step));
    if (!std::filesystem::equivalent(stored.run.path, last.run.path)) {
      return absl::InvalidArgumentError(
          absl::StrCat(step, ": belongs to another run than ", steps.back(),
                       "; only checkpoints of one run can be averaged, decode with an ensemble"));
    }
    SEQ2SEQ_ASSIGN_OR_RETURN(const ArrayMap weights, ReadWeights(stored));
    if (step == steps.front()) means = Zeros(weights);
    SEQ2SEQ_RETURN_IF_ERROR(CheckFit(step, weights, steps.front(), means));
    for (const auto& [name, array] : weights) AddTo(means.at(name), array);
  }
  for (auto& [name, mean] : means) {
    for (int64_t i = 0; i < mean.size(); ++i)
      mean.values<float>()[i] /= static_cast<float>(steps.size());
  }
  SEQ2SEQ_RETURN_IF_ERROR(WriteModelFolder(flags.output, last, means,
                                           [](const RunFolder&) { return absl::OkStatus(); }));
  spdlog::info("{}: the mean of {}", flags.output, absl::StrJoin(steps, ", "));
  return absl::OkStatus();
}

}  // namespace

void AddAverage(CLI::App& program, absl::Status* status) {
  CLI::App* command = program.add_subcommand(
      "average", "Averages the weights of several checkpoints of a run into one model");
  auto flags = std::make_shared<AverageFlags>();
  command
      ->add_option(
          "-m,--model", flags->models,
          "A run folder, for its last checkpoints, or one of its checkpoints; repeat for several")
      ->option_text("RUN|STEP")
      ->allow_extra_args(false)
      ->required();
  command
      ->add_option("-o,--output", flags->output,
                   "Folder to write, which must not exist; decode -m and serve -m take it")
      ->option_text("DIR")
      ->required();
  command
      ->add_option("--last", flags->last,
                   "Number of checkpoints taken from a run folder; see train.keep_last")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->callback([flags, status] { *status = RunAverage(*flags); });
}

}  // namespace seq2seq
