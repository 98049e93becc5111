#include "seq2seq/train/module_report.h"

#include <cmath>

#include <torch/torch.h>

#include "seq2seq/model/gate_statistics.h"
#include "seq2seq/model/parameters.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/train/gradient.h"
#include "seq2seq/weights/parameter_table.h"

namespace seq2seq {

std::map<std::string, ModuleReport> ReportModules(Model model, const Batch& batch) {
  const torch::NoGradGuard no_grad;
  std::map<std::string, ModuleReport> reports;
  for (const auto& [name, parameter] : Parameters(*model)) {
    ModuleReport& report = reports[ModuleOf(name)];
    report.gradient = std::hypot(report.gradient, GradientNorm({{name, parameter}}));
    report.weight = std::hypot(report.weight, parameter.norm().item<double>());
  }

  const ComputeGuard guard({.fused = false});
  GateStatistics statistics;
  model->eval();
  const auto start = model->decoder()->Start(model->Encode(batch));
  model->decoder()(batch.target_input, batch.target_lengths, *start, TeacherForcing(),
                   /*with_attention=*/false);
  for (const auto& module : model->named_modules("", /*include_self=*/false)) {
    const auto found = statistics.counts().find(module.value().get());
    if (found != statistics.counts().end()) reports[module.key()].saturated = found->second.Share();
  }
  return reports;
}

}  // namespace seq2seq
