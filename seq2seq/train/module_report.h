// Diagnosis of vanishing and exploding gradients: norms and gate saturation of each module.
#ifndef SEQ2SEQ_TRAIN_MODULE_REPORT_H_
#define SEQ2SEQ_TRAIN_MODULE_REPORT_H_

#include <map>
#include <optional>
#include <string>

#include "seq2seq/data/batch.h"
#include "seq2seq/model/model.h"

namespace seq2seq {

struct ModuleReport {
  double gradient = 0;              // Norm of the gradient of the module's own parameters.
  double weight = 0;                // Norm of these parameters.
  std::optional<double> saturated;  // Of cells: share of gates below 0.05 or above 0.95.
};

// The modules of `model` that have parameters, by name: norms of the gradients that they hold, and
// the saturation of gates on `batch` in eval mode, padding included. Leaves the model in eval mode.
// Costs a forward pass without the kernels.
std::map<std::string, ModuleReport> ReportModules(Model model, const Batch& batch);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_MODULE_REPORT_H_
