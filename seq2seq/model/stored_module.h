// Loading of stored models as LibTorch modules.
#ifndef SEQ2SEQ_MODEL_STORED_MODULE_H_
#define SEQ2SEQ_MODEL_STORED_MODULE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include <torch/types.h>

#include "seq2seq/inference/run_folder.h"
#include "seq2seq/model/model.h"
#include "seq2seq/search/scorer.h"

namespace seq2seq {

// Builds the model, in eval mode, on the CPU, over its weights, which are memory-mapped, and copied
// only if they are quantised. Costs milliseconds. A TorchScript network is code by the author of
// the run and is refused unless stored.options.image.network.allow_scripts is set.
absl::StatusOr<Model> LoadModel(const StoredModel& stored);

// Loads any model, on any device, "cpu" or "cuda:0", for search. For LoadOptions::load_module.
absl::StatusOr<std::shared_ptr<const ScoringModel>> LoadScoringModel(const StoredModel& stored,
                                                                     const std::string& device,
                                                                     Precision precision);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_STORED_MODULE_H_
