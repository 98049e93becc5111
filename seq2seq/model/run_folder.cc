#include "seq2seq/model/run_folder.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/model/describe_error.h"
#include "seq2seq/model/initialization.h"
#include "seq2seq/model/rounded_weights.h"
#include "seq2seq/model/weights.h"

namespace seq2seq {
namespace {

// The part of config.yaml that describes the model.
struct ModelSection {
  ModelOptions model;

  template <typename V>
  void Visit(V&& visit) {
    visit("model", model);
  }
};

bool Exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace

std::vector<int64_t> StoredSteps(const RunFolder& run) {
  std::vector<int64_t> steps;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(run.path, ignored)) {
    const std::string name = entry.path().filename().string();
    int64_t update = 0;
    if (name.rfind("step-", 0) == 0 && absl::SimpleAtoi(name.substr(5), &update))
      steps.push_back(update);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

absl::StatusOr<StoredModel> FindModel(const std::string& path) {
  StoredModel stored;
  if (Exists(path + kWeightsFile)) {
    stored.step = path;
    stored.run.path = (std::filesystem::canonical(path) / "..").lexically_normal().string();
    if (stored.run.path.back() == '/') stored.run.path.pop_back();
  } else {
    stored.run.path = path;
    if (!Exists(path)) return absl::NotFoundError(absl::StrCat(path, ": no such run folder"));
    if (!Exists(stored.run.Config())) {
      return absl::NotFoundError(absl::StrCat(path, ": not a run folder: it has no config.yaml"));
    }
    stored.step =
        Exists(stored.run.Best() + kWeightsFile) ? stored.run.Best() : stored.run.Latest();
    if (!Exists(stored.step + kWeightsFile)) {
      return absl::NotFoundError(absl::StrCat(path, ": no weights have been saved in it yet"));
    }
  }
  ModelSection section;
  SEQ2SEQ_RETURN_IF_ERROR(
      ReadOptions(stored.run.Config(), ListOptions(section), {"data", "train", "validation"}));
  stored.options = section.model;
  // The run's own copy.
  if (!stored.options.image.network.path.empty())
    stored.options.image.network.path = stored.run.ImageNetwork();
  if (const absl::Status valid = Validate(stored.options); !valid.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(stored.run.Config(), ": ", valid.message()));
  }
  return stored;
}

absl::StatusOr<Model> LoadModel(const StoredModel& stored) {
  const std::string path = stored.step + kWeightsFile;
  SEQ2SEQ_ASSIGN_OR_RETURN(const TensorMap stored_tensors, ReadTensors(path));
  try {
    SEQ2SEQ_ASSIGN_OR_RETURN(const TensorMap tensors, RestoreWeights(stored_tensors, path));
    const SkipInitialization skip;
    Model model(stored.options);
    SEQ2SEQ_RETURN_IF_ERROR(AdoptTensors(tensors, path, Parameters(*model)));
    model->eval();
    return model;
  } catch (const std::exception& error) {  // No memory.
    return absl::InternalError(
        absl::StrCat(stored.run.Config(), ": cannot make the model: ", Describe(error)));
  }
}

absl::StatusOr<Precision> StoredPrecision(const StoredModel& stored) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const TensorMap tensors, ReadTensors(stored.step + kWeightsFile));
  return PrecisionOf(tensors);
}

}  // namespace seq2seq
