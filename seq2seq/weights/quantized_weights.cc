#include "seq2seq/weights/quantized_weights.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

constexpr char kScales[] = ".scales";

}  // namespace

TensorMap QuantizeWeights(const TensorMap& weights, Precision precision) {
  TensorMap rounded;
  for (const auto& [name, tensor] : weights) {
    const torch::Tensor values = tensor.detach();
    if (precision == Precision::kFp32 || values.dim() != 2) {
      rounded.emplace(name, values);
    } else if (precision == Precision::kBf16) {
      rounded.emplace(name, values.to(torch::kBFloat16));
    } else {
      const torch::Tensor largest = values.abs().amax(1);
      const torch::Tensor scales =
          torch::where(largest > 0, largest / 127, torch::ones_like(largest));
      rounded.emplace(name, (values / scales.unsqueeze(1)).round().to(torch::kInt8));
      rounded.emplace(name + kScales, scales);
    }
  }
  return rounded;
}

Precision PrecisionOf(const TensorMap& weights) {
  for (const auto& [name, tensor] : weights) {
    if (tensor.scalar_type() == torch::kInt8) return Precision::kInt8;
    if (tensor.scalar_type() == torch::kBFloat16) return Precision::kBf16;
  }
  return Precision::kFp32;
}

absl::StatusOr<TensorMap> DequantizeWeights(const TensorMap& weights, const std::string& path) {
  SEQ2SEQ_RETURN_IF_ERROR(CheckFinite(weights, path));
  TensorMap restored;
  for (const auto& [name, tensor] : weights) {
    if (tensor.scalar_type() != torch::kInt8) {
      restored.emplace(name, tensor.to(torch::kFloat32));
      continue;
    }
    const auto scales = weights.find(name + kScales);
    if (tensor.dim() != 2 || scales == weights.end() || scales->second.dim() != 1 ||
        scales->second.size(0) != tensor.size(0)) {
      return absl::DataLossError(absl::StrCat(path, ": tensor '", name, "' needs '", name, kScales,
                                              "' with one scale per row"));
    }
    restored.emplace(name, tensor.to(torch::kFloat32) * scales->second.unsqueeze(1));
  }
  for (const auto& [name, tensor] : weights) {
    if (tensor.scalar_type() == torch::kInt8) restored.erase(name + kScales);
  }
  return restored;
}

}  // namespace seq2seq
