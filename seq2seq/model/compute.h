// How modules compute what they define.
#ifndef SEQ2SEQ_MODEL_COMPUTE_H_
#define SEQ2SEQ_MODEL_COMPUTE_H_

#include <string>
#include <vector>

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include "seq2seq/kernels/product.h"

namespace seq2seq {

// What products are to compute with. auto is bf16 on a processor that has it, else fp32, also on
// CUDA.
enum class PrecisionChoice { kAuto, kFp32, kBf16, kInt8 };

inline std::vector<std::string> EnumTexts(PrecisionChoice) {
  return {"auto", "fp32", "bf16", "int8"};
}

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

// Computes without gradients until it goes out of scope, in the midst of a pass that has them.
// Unlike torch::NoGradGuard alone it keeps autocast from remembering the weights that it has cast
// here, without gradients, for the products that come later.
class NoGradPass {
 public:
  NoGradPass();
  ~NoGradPass();
  NoGradPass(const NoGradPass&) = delete;
  NoGradPass& operator=(const NoGradPass&) = delete;

 private:
  at::NoGradGuard no_grad_;
  bool cached_;  // Before.
};

// What the guards of this thread say.
const Compute& CurrentCompute();

// Whether the kernels are built in and compute for modules whose parameters are as `parameter`:
// floats on the CPU.
bool UsesKernels(const torch::Tensor& parameter);

// Whether this machine computes products with `precision`.
bool HasPrecision(Precision precision, torch::Device device);

// What `choice` is on this machine; what is chosen by name is not looked for.
Precision Resolve(PrecisionChoice choice, torch::Device device);

// `precision`, chosen by name.
PrecisionChoice ChoiceOf(Precision precision);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_COMPUTE_H_
