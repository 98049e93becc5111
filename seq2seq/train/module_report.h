// Whether gradients vanish or explode on their way through a model.
#ifndef SEQ2SEQ_TRAIN_MODULE_REPORT_H_
#define SEQ2SEQ_TRAIN_MODULE_REPORT_H_

#include <map>
#include <optional>
#include <string>

#include "seq2seq/data/batch.h"
#include "seq2seq/model/model.h"

namespace seq2seq {

struct ModuleReport {
  double gradient = 0;              // Norm of the gradient of its own parameters.
  double weight = 0;                // Norm of these parameters.
  std::optional<double> saturated;  // Of cells, the share of gates below 0.05 or above 0.95.
};

// The modules of `model` that have parameters, by their names: with the gradients that they hold,
// and the gates that `batch` opens in eval mode, padding included. Leaves the model in eval mode.
// Costs a pass step by step.
std::map<std::string, ModuleReport> ReportModules(Model model, const Batch& batch);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_MODULE_REPORT_H_
