#include "seq2seq/weights/safetensors.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include <nlohmann/json.hpp>
#include <torch/torch.h>

#include "seq2seq/base/file.h"
#include "seq2seq/base/json.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

// The format's names of element types.
constexpr std::pair<const char*, torch::ScalarType> kTypes[] = {
    {"F64", torch::kFloat64},   {"F32", torch::kFloat32}, {"F16", torch::kFloat16},
    {"BF16", torch::kBFloat16}, {"I64", torch::kInt64},   {"I32", torch::kInt32},
    {"I16", torch::kInt16},     {"I8", torch::kInt8},     {"U8", torch::kUInt8},
    {"BOOL", torch::kBool},
};

const char* TypeName(torch::ScalarType type) {
  for (const auto& [name, known] : kTypes) {
    if (known == type) return name;
  }
  TORCH_CHECK(false, "no safetensors type for ", type);
}

std::optional<torch::ScalarType> TypeNamed(absl::string_view name) {
  for (const auto& [known, type] : kTypes) {
    if (known == name) return type;
  }
  return std::nullopt;
}

std::string ShapeText(const torch::Tensor& tensor) {
  return absl::StrCat("[", absl::StrJoin(tensor.sizes(), ", "), "]");
}

// The number of elements of a shape; nullopt if it is invalid. LibTorch multiplies sizes unchecked,
// those beside a 0 too.
std::optional<uint64_t> CountElements(const std::vector<int64_t>& shape) {
  constexpr size_t kMaxDimensions = 16;
  if (shape.size() > kMaxDimensions) return {};
  int64_t product = 1;  // Of the sizes other than 0.
  bool empty = false;
  for (const int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(product, std::max<int64_t>(size, 1), &product))
      return {};
    empty = empty || size == 0;
  }
  return empty ? 0 : static_cast<uint64_t>(product);
}

using Range = std::pair<uint64_t, uint64_t>;  // Begin and end in the bytes after the header.

// Makes a tensor from a header entry and adds its bytes to `ranges`; nullopt if it does not fit the
// bytes of the file.
std::optional<torch::Tensor> MakeTensor(const nlohmann::json& entry,
                                        const std::shared_ptr<MappedFile>& file, size_t data_offset,
                                        std::vector<Range>& ranges) {
  const auto type = TypeNamed(entry.at("dtype").get<std::string>());
  const auto shape = entry.at("shape").get<std::vector<int64_t>>();
  const auto range = entry.at("data_offsets").get<std::vector<uint64_t>>();
  if (!type || range.size() != 2 || range[0] > range[1] || range[1] > file->size() - data_offset)
    return {};
  const uint64_t bytes = range[1] - range[0];
  if (bytes % torch::elementSize(*type) != 0) return {};
  if (CountElements(shape) != bytes / torch::elementSize(*type)) return {};
  if (bytes > 0) ranges.emplace_back(range[0], range[1]);
  void* data = const_cast<char*>(file->data() + data_offset + range[0]);
  const auto release = [file, bytes](void* begin) {
    file->Release(static_cast<const char*>(begin), bytes);
  };
  const torch::Tensor tensor = torch::from_blob(data, shape, release, torch::TensorOptions(*type));
  // Files of other programs may hold unaligned values.
  if (bytes == 0 || reinterpret_cast<uintptr_t>(data) % torch::elementSize(*type) == 0)
    return tensor;
  torch::Tensor aligned = torch::empty(shape, *type);
  std::memcpy(aligned.data_ptr(), data, bytes);
  return aligned;
}

// Whether tensors share bytes, by which a small file could describe any number of large ones.
bool Overlap(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end());
  const auto overlaps = [](const Range& a, const Range& b) { return b.first < a.second; };
  return std::adjacent_find(ranges.begin(), ranges.end(), overlaps) != ranges.end();
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
      return absl::InvalidArgumentError(absl::StrCat(path, ": tensor '", name, "' is ",
                                                     ShapeText(found->second), ", the model needs ",
                                                     ShapeText(tensor)));
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

absl::Status WriteTensors(const std::string& path, const TensorMap& tensors) {
  // Large element types first, so that all are aligned.
  std::vector<std::pair<std::string, torch::Tensor>> ordered(tensors.begin(), tensors.end());
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};
  uint64_t offset = 0;
  for (const auto& [name, tensor] : ordered) {
    header[name] = {{"dtype", TypeName(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, offset + tensor.nbytes()}}};
    offset += tensor.nbytes();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // So that the data after it is aligned.
  const uint64_t length = text.size();

  SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  SEQ2SEQ_RETURN_IF_ERROR(file.Append({reinterpret_cast<const char*>(&length), sizeof length}));
  SEQ2SEQ_RETURN_IF_ERROR(file.Append(text));
  for (const auto& [name, tensor] : ordered) {
    const torch::Tensor plain = tensor.detach().to(torch::kCPU).contiguous();
    SEQ2SEQ_RETURN_IF_ERROR(
        file.Append({static_cast<const char*>(plain.data_ptr()), plain.nbytes()}));
  }
  return file.Commit();
}

absl::StatusOr<TensorMap> ReadTensors(const std::string& path, const TensorFileLimits& limits) {
  SEQ2SEQ_ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::Open(path));
  const auto file = std::make_shared<MappedFile>(std::move(mapped));
  uint64_t length = 0;
  if (file->size() >= sizeof length) std::memcpy(&length, file->data(), sizeof length);
  if (length == 0 || length > file->size() - sizeof length) {
    return absl::DataLossError(absl::StrCat(path, ": not a complete safetensors file"));
  }
  constexpr int64_t kMaxValues = 32;  // JSON values per tensor.
  const absl::StatusOr<nlohmann::json> header =
      ParseJson({file->data() + sizeof length, length},
                {.bytes = limits.header_bytes, .values = kMaxValues * limits.tensors, .depth = 3});
  if (!header.ok()) {
    return absl::DataLossError(
        absl::StrCat(path, ": not a safetensors file: its header is ", header.status().message()));
  }
  TensorMap tensors;
  std::vector<Range> ranges;
  try {
    const auto& entries = header->get_ref<const nlohmann::json::object_t&>();
    if (entries.size() > static_cast<size_t>(limits.tensors)) {
      return absl::DataLossError(absl::StrCat(path, ": has ", entries.size(), " tensors; at most ",
                                              limits.tensors, " are read"));
    }
    for (const auto& [name, entry] : entries) {
      if (name == "__metadata__") continue;
      std::optional<torch::Tensor> tensor = MakeTensor(entry, file, sizeof length + length, ranges);
      if (!tensor) {
        return absl::DataLossError(
            absl::StrCat(path, ": tensor '", name, "' is damaged or cut off"));
      }
      tensors.emplace(name, *std::move(tensor));
    }
  } catch (const std::exception&) {  // nlohmann's about a type, or LibTorch's about a shape.
    return absl::DataLossError(
        absl::StrCat(path, ": not a safetensors file: its header is damaged"));
  }
  if (Overlap(std::move(ranges)))
    return absl::DataLossError(absl::StrCat(path, ": not a safetensors file: its tensors overlap"));
  return tensors;
}

absl::Status CheckFinite(const TensorMap& tensors, const std::string& path) {
  constexpr int64_t kPart = 1 << 18;  // Elements at a time, so that temporaries stay small.
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.is_floating_point()) continue;
    for (const torch::Tensor& part : tensor.detach().flatten().split(kPart)) {
      if (!part.isfinite().all().item<bool>()) {
        return absl::DataLossError(
            absl::StrCat(path, ": tensor '", name, "' holds NaN or infinite numbers"));
      }
    }
  }
  return absl::OkStatus();
}

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

}  // namespace seq2seq
