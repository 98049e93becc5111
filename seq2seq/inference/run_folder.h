// Run folders of trainings: their paths, and finding the models in them.
#ifndef SEQ2SEQ_INFERENCE_RUN_FOLDER_H_
#define SEQ2SEQ_INFERENCE_RUN_FOLDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "seq2seq/inference/model_options.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {

// The paths of a run folder, which holds everything that belongs to a model:
//
//   config.yaml                  all options
//   source.model target.model    the tokenizers; source.model only where sources are text
//   image_network                the file of an image network, where the model has one
//   cache/                       the encoded corpora; may be deleted, but for stdin.txt
//   log.jsonl                    a line per report
//   shortlist.safetensors        lexical shortlist; only where it was exported
//   step-N/                      checkpoint after update N: model.safetensors, training state
//   latest best best-METRIC      links to a checkpoint
//
// Checkpoints are complete or absent, and the links always lead to one. No path may lead out of the
// folder: it may come from elsewhere, and must neither expose nor overwrite other files of this
// machine.
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
  std::string Best(const std::string& metric) const { return path + "/best-" + metric; }
};

// InvalidArgument, naming the path and its target, if a path of the run, or of its folder `step`,
// leads out of the run folder or is neither a file nor a folder.
absl::Status CheckInside(const RunFolder& run, const std::string& step = "");

// The updates of the checkpoints in a run, oldest first.
std::vector<int64_t> StoredSteps(const RunFolder& run);

// The file of the weights in the folder of a checkpoint.
inline constexpr char kWeightsFile[] = "/model.safetensors";

// A model in a run folder.
struct StoredModel {
  RunFolder run;
  std::string step;  // The folder of the checkpoint.
  ModelOptions options;
};

// Finds the best checkpoint of a run folder, else the latest; `path` may also name one of its
// checkpoints. NotFound, DataLoss or InvalidArgument, naming what is missing or leads out of the
// folder.
absl::StatusOr<StoredModel> FindModel(const std::string& path);

// The weights of the model as they are stored, memory-mapped, by JoinScales. DataLoss, naming the
// file and the tensor, if they are damaged, NaN or infinite. Costs milliseconds.
absl::StatusOr<ArrayMap> ReadStoredWeights(const StoredModel& stored);

// The same in fp32, copied only if they are quantised.
absl::StatusOr<ArrayMap> ReadWeights(const StoredModel& stored);

// The precision of the stored weights, in which the model is meant to be used.
absl::StatusOr<Precision> StoredPrecision(const StoredModel& stored);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_RUN_FOLDER_H_
