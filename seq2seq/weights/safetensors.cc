#include "seq2seq/weights/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include <nlohmann/json.hpp>

#include "seq2seq/base/file.h"
#include "seq2seq/base/json.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

// The format's names of element types.
constexpr std::pair<const char*, ArrayType> kTypeNames[] = {
    {"F64", ArrayType::kFloat64},   {"F32", ArrayType::kFloat32}, {"F16", ArrayType::kFloat16},
    {"BF16", ArrayType::kBfloat16}, {"I64", ArrayType::kInt64},   {"I32", ArrayType::kInt32},
    {"I16", ArrayType::kInt16},     {"I8", ArrayType::kInt8},     {"U8", ArrayType::kUint8},
    {"BOOL", ArrayType::kBool}};

std::optional<ArrayType> TypeNamed(absl::string_view wanted) {
  for (const auto& [name, type] : kTypeNames) {
    if (name == wanted) return type;
  }
  return std::nullopt;
}

std::string NameOf(ArrayType wanted) {
  for (const auto& [name, type] : kTypeNames) {
    if (type == wanted) return name;
  }
  return "";  // Not one of the types.
}

// The number of elements of a shape; nullopt if it is invalid. The sizes beside a 0 are multiplied
// too, since strides are products of them.
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

// Makes an array from a header entry and adds its bytes to `ranges`; nullopt if it does not fit the
// bytes of the file.
std::optional<Array> MakeArray(const nlohmann::json& entry, const std::shared_ptr<MappedFile>& file,
                               size_t data_offset, std::vector<Range>& ranges) {
  const auto type = TypeNamed(entry.at("dtype").get<std::string>());
  const auto shape = entry.at("shape").get<std::vector<int64_t>>();
  const auto range = entry.at("data_offsets").get<std::vector<uint64_t>>();
  if (!type || range.size() != 2 || range[0] > range[1] || range[1] > file->size() - data_offset)
    return {};
  const uint64_t bytes = range[1] - range[0];
  if (bytes % ElementSize(*type) != 0) return {};
  if (CountElements(shape) != bytes / ElementSize(*type)) return {};
  if (bytes > 0) ranges.emplace_back(range[0], range[1]);
  char* data = const_cast<char*>(file->data() + data_offset + range[0]);
  const auto release = [file, bytes](const char* begin) { file->Release(begin, bytes); };
  const Array array = {*type, shape, std::shared_ptr<char>(data, release)};
  // Files of other programs may hold unaligned values.
  if (bytes == 0 || reinterpret_cast<uintptr_t>(data) % ElementSize(*type) == 0) return array;
  Array aligned = Array::Empty(*type, shape);
  std::memcpy(aligned.data.get(), data, bytes);
  return aligned;
}

// Whether arrays share bytes, by which a small file could describe any number of large ones.
bool Overlap(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end());
  const auto overlaps = [](const Range& a, const Range& b) { return b.first < a.second; };
  return std::adjacent_find(ranges.begin(), ranges.end(), overlaps) != ranges.end();
}

// Whether no exponent is all ones, as those of NaN and infinite numbers are.
template <typename Bits, typename T>
bool AllFinite(const T* values, int64_t size, Bits exponent) {
  Bits found = 0;
  for (int64_t i = 0; i < size; ++i)
    found |= static_cast<Bits>((std::bit_cast<Bits>(values[i]) & exponent) == exponent);
  return found == 0;
}

bool AllFinite(const Array& array) {
  switch (array.type) {
    case ArrayType::kFloat64:
      return AllFinite(array.values<double>(), array.size(), uint64_t{0x7FF} << 52);
    case ArrayType::kFloat32:
      return AllFinite(array.values<float>(), array.size(), uint32_t{0xFF} << 23);
    case ArrayType::kFloat16:
      return AllFinite(array.values<uint16_t>(), array.size(), uint16_t{0x7C00});
    case ArrayType::kBfloat16:
      return AllFinite(array.values<uint16_t>(), array.size(), uint16_t{0x7F80});
    case ArrayType::kInt64:
    case ArrayType::kInt32:
    case ArrayType::kInt16:
    case ArrayType::kInt8:
    case ArrayType::kUint8:
    case ArrayType::kBool:
      return true;
  }
  return true;
}

}  // namespace

absl::Status WriteArrays(const std::string& path, const ArrayMap& arrays) {
  return WriteArraysOneByOne(path, arrays,
                             [&](const std::string& name) { return arrays.at(name); });
}

absl::Status WriteArraysOneByOne(const std::string& path, const ArrayMap& arrays,
                                 absl::FunctionRef<Array(const std::string& name)> load) {
  // Large element types first, so that all are aligned.
  std::vector<const ArrayMap::value_type*> ordered;
  for (const auto& entry : arrays) ordered.push_back(&entry);
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto* a, const auto* b) {
    return ElementSize(a->second.type) > ElementSize(b->second.type);
  });
  nlohmann::ordered_json header;
  header["__metadata__"] = {{"format", "pt"}};
  uint64_t offset = 0;
  for (const auto* entry : ordered) {
    const auto& [name, array] = *entry;
    header[name] = {{"dtype", NameOf(array.type)},
                    {"shape", array.shape},
                    {"data_offsets", {offset, offset + array.bytes()}}};
    offset += array.bytes();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // So that the data after it is aligned.
  const uint64_t length = text.size();

  SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  SEQ2SEQ_RETURN_IF_ERROR(file.Append({reinterpret_cast<const char*>(&length), sizeof length}));
  SEQ2SEQ_RETURN_IF_ERROR(file.Append(text));
  for (const auto* entry : ordered) {
    const Array array = load(entry->first);
    SEQ2SEQ_RETURN_IF_ERROR(file.Append({array.data.get(), array.bytes()}));
  }
  return file.Commit();
}

absl::StatusOr<ArrayMap> ReadArrays(const std::string& path, const TensorFileLimits& limits) {
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
  ArrayMap arrays;
  std::vector<Range> ranges;
  try {
    const auto& entries = header->get_ref<const nlohmann::json::object_t&>();
    if (entries.size() > static_cast<size_t>(limits.tensors)) {
      return absl::DataLossError(absl::StrCat(path, ": has ", entries.size(), " tensors; at most ",
                                              limits.tensors, " are read"));
    }
    for (const auto& [name, entry] : entries) {
      if (name == "__metadata__") continue;
      std::optional<Array> array = MakeArray(entry, file, sizeof length + length, ranges);
      if (!array) {
        return absl::DataLossError(
            absl::StrCat(path, ": tensor '", name, "' is damaged or cut off"));
      }
      arrays.emplace(name, *std::move(array));
    }
  } catch (const std::exception&) {  // nlohmann's about a type.
    return absl::DataLossError(
        absl::StrCat(path, ": not a safetensors file: its header is damaged"));
  }
  if (Overlap(std::move(ranges)))
    return absl::DataLossError(absl::StrCat(path, ": not a safetensors file: its tensors overlap"));
  return arrays;
}

absl::Status CheckFinite(const ArrayMap& arrays, const std::string& path) {
  for (const auto& [name, array] : arrays) {
    if (!AllFinite(array)) {
      return absl::DataLossError(
          absl::StrCat(path, ": tensor '", name, "' holds NaN or infinite numbers"));
    }
  }
  return absl::OkStatus();
}

}  // namespace seq2seq
