// Outputs of a model in training, sampled by search, for TrainingRunHooks::sample_outputs.
#ifndef SEQ2SEQ_TOOLS_TORCH_SAMPLE_OUTPUTS_H_
#define SEQ2SEQ_TOOLS_TORCH_SAMPLE_OUTPUTS_H_

#include <vector>

#include "absl/status/statusor.h"

#include "seq2seq/data/batch.h"
#include "seq2seq/model/model.h"
#include "seq2seq/search/search_options.h"
#include "seq2seq/train/sequence_objective.h"

namespace seq2seq {

// As OutputSampler, within the lengths of `options`. The weights are packed anew for each call, and
// computed with in the current precision; a source is encoded once for all of its samples, and some
// 2,000 outputs are sampled at once.
absl::StatusOr<std::vector<std::vector<ModelOutput>>> SampleOutputs(Model model, const Batch& batch,
                                                                    const SamplingRequest& request,
                                                                    const SearchOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_TORCH_SAMPLE_OUTPUTS_H_
