#include "seq2seq/ops/device.h"

#include <algorithm>
#include <exception>

#include "absl/strings/str_cat.h"
#include <torch/cuda.h>
#include <torch/types.h>

namespace seq2seq {

absl::StatusOr<c10::Device> ParseDevice(const std::string& name) {
  if (name == "auto") return c10::Device(torch::cuda::is_available() ? torch::kCUDA : torch::kCPU);
  try {
    const c10::Device device(name);
    if (device.is_cpu()) return device;
    if (device.is_cuda() &&
        std::max<int>(device.index(), 0) < static_cast<int>(torch::cuda::device_count()))
      return device;
    return absl::InvalidArgumentError(absl::StrCat("device '", name,
                                                   "' is not available; LibTorch finds ",
                                                   torch::cuda::device_count(), " CUDA devices"));
  } catch (const std::exception&) {
    return absl::InvalidArgumentError(
        absl::StrCat("device '", name, "': expected auto, cpu, cuda or cuda:N"));
  }
}

}  // namespace seq2seq
