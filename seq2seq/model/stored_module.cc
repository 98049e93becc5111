#include "seq2seq/model/stored_module.h"

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/describe_error.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/model/initialization.h"
#include "seq2seq/model/parameters.h"
#include "seq2seq/model/scoring_model.h"

namespace seq2seq {

absl::StatusOr<Model> LoadModel(const StoredModel& stored) {
  try {
    SEQ2SEQ_ASSIGN_OR_RETURN(const ArrayMap weights, ReadWeights(stored));
    const SkipInitialization skip;
    Model model(stored.options);
    SEQ2SEQ_RETURN_IF_ERROR(
        AdoptTensors(ToTensors(weights), stored.step + kWeightsFile, Parameters(*model)));
    model->eval();
    return model;
  } catch (const std::exception& error) {  // Out of memory, for example.
    return ToStatus(error, absl::StrCat(stored.run.Config(), ": cannot build the model"));
  }
}

absl::StatusOr<std::shared_ptr<const ScoringModel>> LoadScoringModel(const StoredModel& stored,
                                                                     const std::string& device,
                                                                     Precision precision) {
  SEQ2SEQ_ASSIGN_OR_RETURN(Model model, LoadModel(stored));
  try {
    const torch::Device on(device);
    model->to(on);
    return MakeScoringModel(std::move(model), on, precision);
  } catch (const std::exception& error) {
    return ToStatus(error, absl::StrCat(stored.run.Config(), ": cannot load the model"));
  }
}

}  // namespace seq2seq
