#include "seq2seq/model/script_network.h"

#include "absl/strings/str_replace.h"
#include <torch/script.h>

namespace seq2seq {

struct ScriptNetworkImpl::Script {
  torch::jit::Module module;
};

ScriptNetworkImpl::ScriptNetworkImpl(const std::string& path, bool fine_tune)
    : script_(std::make_unique<Script>()) {
  try {
    script_->module = torch::jit::load(path, torch::kCPU);
  } catch (const c10::Error& error) {
    TORCH_CHECK(false, path, ": is not a TorchScript module: ", error.what_without_backtrace());
  }
  script_->module.eval();
  for (const auto& parameter : script_->module.named_parameters()) {
    if (fine_tune) {
      register_parameter(absl::StrReplaceAll(parameter.name, {{".", "/"}}), parameter.value);
    } else {
      parameter.value.set_requires_grad(false);
    }
  }
}

ScriptNetworkImpl::~ScriptNetworkImpl() = default;

void ScriptNetworkImpl::to(torch::Device device, bool non_blocking) {
  script_->module.to(device, non_blocking);
  torch::nn::Module::to(device, non_blocking);
}

torch::Tensor ScriptNetworkImpl::forward(const torch::Tensor& images) {
  // Without graph optimisation: with some versions of LLVM, LibTorch never finishes it.
  const torch::jit::GraphOptimizerEnabledGuard optimize(false);
  const torch::IValue output = script_->module.forward({images});
  TORCH_CHECK(output.isTensor() && output.toTensor().dim() == 4,
              "the output of the TorchScript module is not [batch, channels, rows, columns]");
  return output.toTensor();
}

}  // namespace seq2seq
