#include "seq2seq/model/parameters.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

constexpr std::pair<ArrayType, torch::ScalarType> kTypes[] = {
    {ArrayType::kFloat64, torch::kFloat64}, {ArrayType::kFloat32, torch::kFloat32},
    {ArrayType::kFloat16, torch::kFloat16}, {ArrayType::kBfloat16, torch::kBFloat16},
    {ArrayType::kInt64, torch::kInt64},     {ArrayType::kInt32, torch::kInt32},
    {ArrayType::kInt16, torch::kInt16},     {ArrayType::kInt8, torch::kInt8},
    {ArrayType::kUint8, torch::kUInt8},     {ArrayType::kBool, torch::kBool},
};

ArrayType ArrayTypeOf(torch::ScalarType type) {
  for (const auto& [array_type, scalar_type] : kTypes) {
    if (scalar_type == type) return array_type;
  }
  TORCH_CHECK(false, "no safetensors type for ", type);
}

torch::ScalarType ScalarTypeOf(ArrayType type) {
  for (const auto& [array_type, scalar_type] : kTypes) {
    if (array_type == type) return scalar_type;
  }
  TORCH_CHECK(false, "no tensor type for array type ", static_cast<int>(type));
}

// InvalidArgument unless both have the same names and shapes.
absl::Status CheckFit(const TensorMap& from, const std::string& path, const TensorMap& to) {
  for (const auto& [name, tensor] : to) {
    const auto found = from.find(name);
    if (found == from.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": has no tensor '", name, "', which the model needs"));
    }
    if (found->second.sizes() != tensor.sizes()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": tensor '", name, "' is ", ShapeText(found->second.sizes().vec()),
                       ", the model needs ", ShapeText(tensor.sizes().vec())));
    }
  }
  for (const auto& [name, tensor] : from) {
    if (to.count(name) == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": tensor '", name, "' is not part of the model"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

TensorMap Parameters(const torch::nn::Module& module) {
  TensorMap parameters;
  for (const auto& parameter : module.named_parameters())
    parameters.emplace(parameter.key(), parameter.value());
  return parameters;
}

absl::Status AssignTensors(const TensorMap& from, const std::string& path, TensorMap to) {
  SEQ2SEQ_RETURN_IF_ERROR(CheckFit(from, path, to));
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : to) tensor.copy_(from.at(name));
  return absl::OkStatus();
}

absl::Status AdoptTensors(const TensorMap& from, const std::string& path, TensorMap to) {
  SEQ2SEQ_RETURN_IF_ERROR(CheckFit(from, path, to));
  for (auto& [name, tensor] : to) tensor.set_data(from.at(name).to(tensor.scalar_type()));
  return absl::OkStatus();
}

Array ToArray(const torch::Tensor& tensor) {
  const torch::Tensor plain = tensor.detach().to(torch::kCPU).contiguous();
  const ArrayType type = ArrayTypeOf(plain.scalar_type());
  // Tensors without elements may have no address, by which arrays are defined.
  if (plain.numel() == 0) return Array::Empty(type, plain.sizes().vec());
  const auto keep = [plain](char*) {};
  return {type, plain.sizes().vec(),
          std::shared_ptr<char>(static_cast<char*>(plain.data_ptr()), keep)};
}

ArrayMap ToArrays(const TensorMap& tensors) {
  ArrayMap arrays;
  for (const auto& [name, tensor] : tensors) arrays.emplace(name, ToArray(tensor));
  return arrays;
}

TensorMap ToTensors(const ArrayMap& arrays) {
  TensorMap tensors;
  for (const auto& [name, array] : arrays) {
    const auto keep = [data = array.data](void*) {};
    tensors.emplace(name, torch::from_blob(array.data.get(), array.shape, keep,
                                           torch::TensorOptions(ScalarTypeOf(array.type))));
  }
  return tensors;
}

absl::Status WriteTensors(const std::string& path, const TensorMap& tensors) {
  ArrayMap layouts;
  for (const auto& [name, tensor] : tensors) {
    layouts.emplace(
        name, Array{ArrayTypeOf(tensor.scalar_type()), tensor.sizes().vec(), /*data=*/nullptr});
  }
  return WriteArraysOneByOne(path, layouts,
                             [&](const std::string& name) { return ToArray(tensors.at(name)); });
}

absl::StatusOr<TensorMap> ReadTensors(const std::string& path, const TensorFileLimits& limits) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const ArrayMap arrays, ReadArrays(path, limits));
  return ToTensors(arrays);
}

}  // namespace seq2seq
