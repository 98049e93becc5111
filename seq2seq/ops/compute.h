// Compute settings per thread: kernels or LibTorch's operations, and the precision of products.
#ifndef SEQ2SEQ_OPS_COMPUTE_H_
#define SEQ2SEQ_OPS_COMPUTE_H_

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include "seq2seq/kernels/product.h"

namespace seq2seq {

struct Compute {
  bool fused = true;  // Kernels where supported; false: LibTorch's operations everywhere.
  Precision precision = Precision::kFp32;  // Of the kernels' products; on CUDA bf16 means autocast.
};

// Sets the compute settings of this thread until it goes out of scope. A backward pass uses the
// settings of its forward pass.
//
//   ComputeGuard guard({.precision = Precision::kBf16});
//   model->ComputeLoss(batch, forcing, {.smoothing = 0.1}).objective.backward();
class ComputeGuard {
 public:
  explicit ComputeGuard(const Compute& compute);
  ~ComputeGuard();
  ComputeGuard(const ComputeGuard&) = delete;
  ComputeGuard& operator=(const ComputeGuard&) = delete;

 private:
  Compute before_;
};

// Disables gradients until it goes out of scope, inside a forward pass that has them. Unlike
// torch::NoGradGuard alone it keeps autocast from caching the weights cast here, without gradients,
// for later products.
class NoGradPass {
 public:
  NoGradPass();
  ~NoGradPass();
  NoGradPass(const NoGradPass&) = delete;
  NoGradPass& operator=(const NoGradPass&) = delete;

 private:
  at::NoGradGuard no_grad_;
  bool cached_;  // Whether autocast cached before.
};

// The compute settings of this thread.
const Compute& CurrentCompute();

// Whether the kernels are built in, switched on, and support modules with parameters like
// `parameter`: fp32 on the CPU.
bool UsesKernels(const torch::Tensor& parameter);

}  // namespace seq2seq

#endif  // SEQ2SEQ_OPS_COMPUTE_H_
