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

}  // namespace seq2seq
