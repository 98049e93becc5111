#include "seq2seq/ops/compute.h"

#include <ATen/autocast_mode.h>
#include <torch/torch.h>
#include <torch/version.h>

namespace seq2seq {
namespace {

thread_local Compute current;

// Autocast is used on CUDA only.
void SetAutocast(bool enabled) {
  if (!torch::cuda::is_available()) return;
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  at::autocast::set_autocast_dtype(at::kCUDA, at::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCUDA, enabled);
#else
  at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
  at::autocast::set_enabled(enabled);
#endif
  if (!enabled) at::autocast::clear_cache();
}

}  // namespace

ComputeGuard::ComputeGuard(const Compute& compute) : before_(current) {
  current = compute;
  SetAutocast(compute.precision == Precision::kBf16);
}

ComputeGuard::~ComputeGuard() {
  current = before_;
  SetAutocast(before_.precision == Precision::kBf16);
}

NoGradPass::NoGradPass() : cached_(at::autocast::is_autocast_cache_enabled()) {
  at::autocast::set_autocast_cache_enabled(false);
}

NoGradPass::~NoGradPass() { at::autocast::set_autocast_cache_enabled(cached_); }

const Compute& CurrentCompute() { return current; }

bool UsesKernels(const torch::Tensor& parameter) {
#if SEQ2SEQ_KERNELS
  return current.fused && parameter.is_cpu() && parameter.scalar_type() == torch::kFloat32;
#else
  return false;
#endif
}

bool HasPrecision(Precision precision, torch::Device device) {
  if (precision == Precision::kFp32) return true;
  if (device.is_cuda()) return precision == Precision::kBf16;
#if SEQ2SEQ_KERNELS
  return SupportsProducts(precision);
#else
  return false;
#endif
}

Precision Resolve(PrecisionChoice choice, torch::Device device) {
  switch (choice) {
    case PrecisionChoice::kAuto:
      break;
    case PrecisionChoice::kFp32:
      return Precision::kFp32;
    case PrecisionChoice::kBf16:
      return Precision::kBf16;
    case PrecisionChoice::kInt8:
      return Precision::kInt8;
  }
  return device.is_cpu() && HasPrecision(Precision::kBf16, device) ? Precision::kBf16
                                                                   : Precision::kFp32;
}

PrecisionChoice ChoiceOf(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return PrecisionChoice::kFp32;
    case Precision::kBf16:
      return PrecisionChoice::kBf16;
    case Precision::kInt8:
      return PrecisionChoice::kInt8;
  }
  return PrecisionChoice::kAuto;
}

}  // namespace seq2seq
