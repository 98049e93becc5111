// Where a run keeps its things, and how a model comes back from there.
#ifndef SEQ2SEQ_MODEL_RUN_FOLDER_H_
#define SEQ2SEQ_MODEL_RUN_FOLDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "seq2seq/kernels/product.h"
#include "seq2seq/model/model.h"

namespace seq2seq {

// The paths of a run folder, which holds everything that belongs to a model:
//
//   config.yaml                  all options
//   source.model target.model    the tokenizers; source.model only where sources are text
//   image_network                the file of a network of images, where the model has one
//   cache/                       the encoded corpora; may be deleted
//   log.jsonl                    a line a report
//   shortlist.safetensors        what pieces are translated by; only where it was exported
//   step-N/                      after update N: model.safetensors, and what training needs to go
//   on latest best                  links to a step
//
// Steps are complete or not there, and the links always lead to one. Nothing in it leads out of it:
// a folder may come from elsewhere, and neither show nor overwrite what else is on this machine.
struct RunFolder {
  std::string path;

  std::string Config() const { return path + "/config.yaml"; }
  std::string SourceTokenizer() const { return path + "/source.model"; }
  std::string TargetTokenizer() const { return path + "/target.model"; }
  std::string ImageNetwork() const { return path + "/image_network"; }
  std::string Shortlist() const { return path + "/shortlist.safetensors"; }
  std::string Cache() const { return path + "/cache"; }
  std::string Log() const { return path + "/log.jsonl"; }
  std::string Step(int64_t update) const { return path + "/step-" + std::to_string(update); }
  std::string Latest() const { return path + "/latest"; }
  std::string Best() const { return path + "/best"; }
};

// InvalidArgument, naming it and where it leads, if something of the run, or of its folder `step`,
// lies outside of it or is neither file nor folder.
absl::Status CheckInside(const RunFolder& run, const std::string& step = "");

// The updates of the steps in a run, oldest first.
std::vector<int64_t> StoredSteps(const RunFolder& run);

// The name of the weights in the folder of a step.
inline constexpr char kWeightsFile[] = "/model.safetensors";

// A model as it lies in a run.
struct StoredModel {
  RunFolder run;
  std::string step;  // The folder of its weights.
  ModelOptions options;
};

// Finds the best step of a run folder, else the latest; `path` may also name a step of it. NotFound
// or InvalidArgument, naming what is missing or leads out of the folder.
absl::StatusOr<StoredModel> FindModel(const std::string& path);

// Builds the model over its weights, which are mapped and not copied unless they are stored in
// fewer bits, in eval mode, on the CPU. Costs milliseconds. A TorchScript network is code of
// whoever made the run, and InvalidArgument unless stored.options.image.network.allow_scripts is
// set.
absl::StatusOr<Model> LoadModel(const StoredModel& stored);

// What its weights are stored in: the precision that it is meant to be applied with.
absl::StatusOr<Precision> StoredPrecision(const StoredModel& stored);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_RUN_FOLDER_H_
