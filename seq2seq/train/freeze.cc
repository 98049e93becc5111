#include "seq2seq/train/freeze.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <torch/types.h>

namespace seq2seq {
namespace {

// Whether `parameter` is `module` or inside it. Names of modules in TorchScript networks have
// slashes instead of dots.
bool IsIn(const std::string& parameter, const std::string& module) {
  return parameter == module || absl::StartsWith(parameter, module + ".") ||
         absl::StartsWith(parameter, module + "/");
}

bool IsFrozen(const std::string& parameter, const std::vector<std::string>& modules) {
  return std::any_of(modules.begin(), modules.end(),
                     [&](const std::string& module) { return IsIn(parameter, module); });
}

bool HasParameterIn(const std::vector<ParameterGroup>& groups, const std::string& module) {
  return std::any_of(groups.begin(), groups.end(), [&](const ParameterGroup& group) {
    return std::any_of(group.parameters.begin(), group.parameters.end(),
                       [&](const auto& parameter) { return IsIn(parameter.first, module); });
  });
}

}  // namespace

absl::Status Freeze(const TrainOptions& options, const std::vector<ParameterGroup>& groups) {
  for (const std::string& name : options.freeze) {
    if (!HasParameterIn(groups, name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("train.freeze: expected modules or parameters of the model, found '", name,
                       "'; seq2seq inspect lists them"));
    }
  }
  bool learns = false;
  for (const ParameterGroup& group : groups) {
    const bool from_start = !group.pretrained || options.fine_tune.from == 0;
    for (const auto& [name, parameter] : group.parameters) {
      if (IsFrozen(name, options.freeze)) parameter.requires_grad_(false);
      learns |= from_start && parameter.requires_grad();
    }
  }
  if (!learns) return absl::InvalidArgumentError("train.freeze: leaves nothing to train");
  return absl::OkStatus();
}

TensorMap FineTuned(const TrainOptions& options, const std::vector<ParameterGroup>& groups) {
  TensorMap tuned;
  for (const ParameterGroup& group : groups) {
    if (!group.pretrained) continue;
    for (const auto& [name, parameter] : group.parameters) {
      if (!IsFrozen(name, options.freeze)) tuned.emplace(name, parameter);
    }
  }
  return tuned;
}

}  // namespace seq2seq
