#include "seq2seq/inference/run_folder.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "seq2seq/base/options.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/weights/quantized_weights.h"
#include "seq2seq/weights/safetensors.h"

namespace seq2seq {
namespace {

namespace fs = std::filesystem;

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
  return fs::exists(path, ignored);
}

// InvalidArgument if `path` leads out of `root`, which is canonical, or is neither a file nor a
// folder.
absl::Status CheckInside(const fs::path& path, const fs::path& root) {
  std::error_code error;
  // Link by link, as the target of the last one may not exist yet.
  fs::path last = path;
  for (int links = 0; links < 40 && fs::is_symlink(last, error); ++links)
    last = last.parent_path() / fs::read_symlink(last, error);
  const fs::path real = fs::weakly_canonical(last, error);
  if (error) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), ": ", error.message()));
  }
  if (std::mismatch(root.begin(), root.end(), real.begin(), real.end()).first != root.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.string(), ": leads out of the run folder, to ", real.string()));
  }
  const fs::file_status status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.string(), ": is neither a file nor a folder"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckInside(const RunFolder& run, const std::string& step) {
  std::error_code ignored;
  const fs::path root = fs::canonical(run.path, ignored);
  std::vector<std::string> names = {
      run.Config(),       run.SourceTokenizer(), run.TargetTokenizer(),
      run.ImageNetwork(), run.Shortlist(),       run.Cache(),
      run.Log(),          run.Latest(),          run.Best()};
  for (const int64_t update : StoredSteps(run)) names.push_back(run.Step(update));
  if (!step.empty()) names.push_back(step);
  for (const std::string& name : names) {
    SEQ2SEQ_RETURN_IF_ERROR(CheckInside(fs::path(name), root));
    for (const auto& entry : fs::directory_iterator(name, ignored))
      SEQ2SEQ_RETURN_IF_ERROR(CheckInside(entry.path(), root));
  }
  return absl::OkStatus();
}

std::vector<int64_t> StoredSteps(const RunFolder& run) {
  std::vector<int64_t> steps;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(run.path, ignored)) {
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
    stored.run.path = (fs::canonical(path) / "..").lexically_normal().string();
    if (stored.run.path.back() == '/') stored.run.path.pop_back();
  } else {
    stored.run.path = path;
    if (!Exists(path)) return absl::NotFoundError(absl::StrCat(path, ": no such run folder"));
    if (!Exists(stored.run.Config())) {
      return absl::NotFoundError(absl::StrCat(path, ": not a run folder: it has no config.yaml"));
    }
    std::error_code ignored;
    const bool has_best = fs::exists(fs::symlink_status(stored.run.Best(), ignored));
    stored.step = has_best ? stored.run.Best() : stored.run.Latest();
    if (!Exists(stored.step + kWeightsFile)) {
      // The best weights are lost: the latest checkpoint must not silently replace them.
      if (has_best) {
        return absl::DataLossError(absl::StrCat(
            stored.step,
            ": leads to no weights; name a checkpoint of the folder, or remove the link"));
      }
      return absl::NotFoundError(absl::StrCat(path, ": no weights have been saved in it yet"));
    }
  }
  SEQ2SEQ_RETURN_IF_ERROR(CheckInside(stored.run, stored.step));
  ModelSection section;
  SEQ2SEQ_RETURN_IF_ERROR(
      ReadOptions(stored.run.Config(), ListOptions(section), OtherSections::kIgnored));
  stored.options = section.model;
  // The copy in the run folder.
  if (!stored.options.image.network.path.empty())
    stored.options.image.network.path = stored.run.ImageNetwork();
  if (const absl::Status valid = Validate(stored.options); !valid.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(stored.run.Config(), ": ", valid.message()));
  }
  return stored;
}

absl::StatusOr<ArrayMap> ReadStoredWeights(const StoredModel& stored) {
  const std::string path = stored.step + kWeightsFile;
  SEQ2SEQ_ASSIGN_OR_RETURN(ArrayMap arrays, ReadArrays(path));
  return JoinScales(std::move(arrays), path);
}

absl::StatusOr<ArrayMap> ReadWeights(const StoredModel& stored) {
  const std::string path = stored.step + kWeightsFile;
  SEQ2SEQ_ASSIGN_OR_RETURN(const ArrayMap arrays, ReadArrays(path));
  return DequantizeWeights(arrays, path);
}

absl::StatusOr<Precision> StoredPrecision(const StoredModel& stored) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const ArrayMap arrays, ReadArrays(stored.step + kWeightsFile));
  return PrecisionOf(arrays);
}

}  // namespace seq2seq
