#include "seq2seq/tools/torch/summary.h"

#include <cstdint>
#include <exception>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/describe_error.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/model/model_summary.h"
#include "seq2seq/tools/table.h"
#include "seq2seq/tools/torch/config.h"
#include "seq2seq/train/freeze.h"
#include "seq2seq/train/training_data.h"
#include "seq2seq/weights/parameter_table.h"

namespace seq2seq {

std::string SummaryText(const Model& model) {
  Table table = {
      .header = {"layer", "kind", "output shape", "parameters", "trainable", "not trainable"}};
  LayerSummary total;
  const auto add = [&](const std::string& name, const LayerSummary& layer) {
    const int64_t trainable = layer.trainable, frozen = layer.not_trainable;
    table.rows.push_back({name, layer.kind, layer.output, Grouped(trainable + frozen),
                          Grouped(trainable), Grouped(frozen)});
  };
  for (const LayerSummary& layer : SummarizeModel(*model)) {
    add(layer.name.empty() ? "(model)" : layer.name, layer);
    total.trainable += layer.trainable;
    total.not_trainable += layer.not_trainable;
    total.second_bias += layer.second_bias;
  }
  add("total", total);
  std::string text = TextTable(table);
  if (total.second_bias > 0) {
    absl::StrAppend(&text, "and ", Grouped(total.second_bias),
                    " of the second biases that torch.nn's recurrent cells have\n");
  }
  return text;
}

absl::StatusOr<std::string> SummarizeConfig(const std::vector<std::string>& files,
                                            const std::vector<std::string>& settings) {
  SEQ2SEQ_ASSIGN_OR_RETURN(Config config, ReadConfig(files, settings));
  SEQ2SEQ_RETURN_IF_ERROR(LoadTokenizers(config.training).status());
  SEQ2SEQ_RETURN_IF_ERROR(Validate(config.training.model));
  try {
    const Model model(config.training.model);
    SEQ2SEQ_RETURN_IF_ERROR(Freeze(config.training.train, model->ParameterGroups()));
    return SummaryText(model);
  } catch (const std::exception& error) {  // Of LibTorch: out of memory, or an image network.
    return ToStatus(error, "cannot build the model");
  }
}

}  // namespace seq2seq
