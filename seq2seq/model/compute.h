// How modules compute what they define.
#ifndef SEQ2SEQ_MODEL_COMPUTE_H_
#define SEQ2SEQ_MODEL_COMPUTE_H_

#include <torch/types.h>

#include "seq2seq/kernels/product.h"

namespace seq2seq {

struct Compute {
  bool fused = true;  // The kernels where they fit; false: LibTorch's operations everywhere.
  Precision precision = Precision::kFp32;  // Of the kernels' products; on CUDA bf16 is autocast.
};

// Sets how modules compute on this thread, until it goes out of scope. The backward pass computes
// as its forward pass did.
//
//   ComputeGuard guard({.precision = Precision::kBf16});
//   model(batch, forcing, smoothing).objective.backward();
class ComputeGuard {
 public:
  explicit ComputeGuard(const Compute& compute);
  ~ComputeGuard();
  ComputeGuard(const ComputeGuard&) = delete;
  ComputeGuard& operator=(const ComputeGuard&) = delete;

 private:
  Compute before_;
};

// What the guards of this thread say.
const Compute& CurrentCompute();

// Whether the kernels are built in and compute for modules whose parameters are as `parameter`:
// floats on the CPU.
bool UsesKernels(const torch::Tensor& parameter);

// Whether this machine computes products with `precision`.
bool HasPrecision(Precision precision, torch::Device device);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_COMPUTE_H_
