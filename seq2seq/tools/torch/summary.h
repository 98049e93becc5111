// The table of layers of a model that is not trained yet.
#ifndef SEQ2SEQ_TOOLS_TORCH_SUMMARY_H_
#define SEQ2SEQ_TOOLS_TORCH_SUMMARY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "seq2seq/model/model.h"

namespace seq2seq {

// Layer, kind, output shape, parameters, trainable and not, and totals. Second biases of recurrent
// cells, as torch.nn has them, stand apart.
std::string SummaryText(const Model& model);

// The same for the model of a configuration, of files and "key=value" settings; its tokenizers give
// the sizes of the vocabularies. Costs the memory of the model.
absl::StatusOr<std::string> SummarizeConfig(const std::vector<std::string>& files,
                                            const std::vector<std::string>& settings);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_TORCH_SUMMARY_H_
