// Conversions between tensors and kernels for the autograd functions of ops/*.cc.
#ifndef SEQ2SEQ_OPS_AUTOGRAD_SUPPORT_H_
#define SEQ2SEQ_OPS_AUTOGRAD_SUPPORT_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include <torch/torch.h>

#include "seq2seq/kernels/caching_allocator.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/kernels/recurrent.h"
#include "seq2seq/ops/cell_parameters.h"

namespace seq2seq {

// A float tensor as a matrix whose columns are its last dimension; empty if undefined. The tensor
// must be contiguous and outlive the view.
inline Matrix View(const torch::Tensor& tensor) {
  if (!tensor.defined()) return {};
  TORCH_CHECK(tensor.is_contiguous() && tensor.scalar_type() == torch::kFloat32,
              "kernels need contiguous fp32 tensors");
  const int64_t columns = tensor.size(-1);
  return {tensor.data_ptr<float>(), columns == 0 ? 0 : tensor.numel() / columns, columns, columns};
}

// The data of a vector; null if it is undefined.
inline float* Values(const torch::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr<float>() : nullptr;
}

// A C++ value that a forward pass saves for its backward pass.
template <typename T>
struct SavedValue : torch::CustomClassHolder {
  explicit SavedValue(T saved) : value(std::move(saved)) {}
  T value;
};

template <typename T>
void SaveValue(torch::autograd::AutogradContext* context, T value) {
  context->saved_data["value"] =
      c10::IValue::make_capsule(c10::make_intrusive<SavedValue<T>>(std::move(value)));
}

template <typename T>
T& SavedBy(torch::autograd::AutogradContext* context) {
  return static_cast<SavedValue<T>*>(context->saved_data["value"].toCapsule().get())->value;
}

// A seed for a kernel's random numbers, from the default generator.
inline uint64_t DrawSeed() {
  return static_cast<uint64_t>(torch::randint(INT64_MAX, {1}, torch::kInt64).item<int64_t>());
}

// Appends the parameters of a cell, in the order of the inputs and gradients of the autograd
// functions.
inline void AppendTensors(const CellParameters& cell, std::vector<torch::Tensor>& tensors) {
  tensors.insert(tensors.end(), {cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh});
  if (cell.peephole.defined()) tensors.push_back(cell.peephole);
}

inline size_t CountTensors(CellKind kind) { return LayoutOf(kind).peepholes > 0 ? 5 : 4; }

inline CellWeights ViewWeights(absl::Span<const torch::Tensor> cell) {
  return {View(cell[0]), View(cell[1]), Values(cell[2]), Values(cell[3]),
          cell.size() > 4 ? Values(cell[4]) : nullptr};
}

inline CellGradients ViewGradients(absl::Span<const torch::Tensor> cell) {
  return {View(cell[0]), View(cell[1]), Values(cell[2]), Values(cell[3]),
          cell.size() > 4 ? Values(cell[4]) : nullptr};
}

// The weights, or gradients, of cells whose parameters follow each other in `tensors`.
inline std::vector<CellWeights> AllWeights(CellKind kind, absl::Span<const torch::Tensor> tensors) {
  std::vector<CellWeights> weights;
  const size_t count = CountTensors(kind);
  for (size_t i = 0; i < tensors.size(); i += count) {
    weights.push_back(ViewWeights(tensors.subspan(i, count)));
  }
  return weights;
}

inline std::vector<CellGradients> AllGradients(CellKind kind,
                                               absl::Span<const torch::Tensor> tensors) {
  std::vector<CellGradients> gradients;
  const size_t count = CountTensors(kind);
  for (size_t i = 0; i < tensors.size(); i += count) {
    gradients.push_back(ViewGradients(tensors.subspan(i, count)));
  }
  return gradients;
}

// Uninitialised floats in memory that is reused from update to update.
inline torch::Tensor EmptyFloats(at::IntArrayRef sizes) {
  int64_t count = 1;
  for (const int64_t size : sizes) count *= size;
  std::shared_ptr<void> block = AllocateBlock(static_cast<size_t>(count) * sizeof(float));
  return torch::from_blob(
      block.get(), sizes, [block](void*) {}, torch::kFloat32);
}

inline torch::Tensor EmptyLike(const torch::Tensor& tensor) { return EmptyFloats(tensor.sizes()); }

inline std::vector<torch::Tensor> EmptyLike(absl::Span<const torch::Tensor> tensors) {
  std::vector<torch::Tensor> empty;
  for (const torch::Tensor& tensor : tensors) empty.push_back(EmptyLike(tensor));
  return empty;
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_OPS_AUTOGRAD_SUPPORT_H_
