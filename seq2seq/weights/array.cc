#include "seq2seq/weights/array.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <new>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace seq2seq {
namespace {

// Converts the elements, of type T, by `convert`.
template <typename T, typename Convert>
Array Converted(const Array& array, Convert convert) {
  Array floats = Array::Empty(ArrayType::kFloat32, array.shape);
  std::transform(array.values<T>(), array.values<T>() + array.size(), floats.values<float>(),
                 convert);
  return floats;
}

float FromHalf(uint16_t half) {
  const uint32_t sign = (half & 0x8000u) << 16;
  const uint32_t exponent = half >> 10 & 0x1Fu;
  const uint32_t fraction = half & 0x3FFu;
  if (exponent == 0) {  // Zero, or subnormal: a multiple of 2^-24.
    const float value = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(value));
  }
  const uint32_t wide = exponent == 0x1F ? 0xFF : exponent + (127 - 15);  // Infinite or NaN stays.
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

float FromBfloat16(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

template <typename T>
float FromNumber(T number) {
  return static_cast<float>(number);
}

}  // namespace

size_t ElementSize(ArrayType type) {
  switch (type) {
    case ArrayType::kFloat64:
    case ArrayType::kInt64:
      return 8;
    case ArrayType::kFloat32:
    case ArrayType::kInt32:
      return 4;
    case ArrayType::kFloat16:
    case ArrayType::kBfloat16:
    case ArrayType::kInt16:
      return 2;
    case ArrayType::kInt8:
    case ArrayType::kUint8:
    case ArrayType::kBool:
      return 1;
  }
  return 0;
}

bool IsFloat(ArrayType type) {
  switch (type) {
    case ArrayType::kFloat64:
    case ArrayType::kFloat32:
    case ArrayType::kFloat16:
    case ArrayType::kBfloat16:
      return true;
    case ArrayType::kInt64:
    case ArrayType::kInt32:
    case ArrayType::kInt16:
    case ArrayType::kInt8:
    case ArrayType::kUint8:
    case ArrayType::kBool:
      return false;
  }
  return false;
}

Array Array::Empty(ArrayType type, std::vector<int64_t> shape) {
  constexpr std::align_val_t kCacheLine{64};
  Array array = {type, std::move(shape), nullptr};
  array.data = std::shared_ptr<char>(static_cast<char*>(::operator new(array.bytes(), kCacheLine)),
                                     [](char* bytes) { ::operator delete(bytes, kCacheLine); });
  return array;
}

int64_t Array::size() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

Matrix Array::matrix() const {
  if (!defined()) return {};
  const int64_t columns = shape.empty() ? 1 : shape.back();
  const int64_t rows = columns > 0 ? size() / columns : 0;
  return {values<float>(), rows, columns, columns};
}

Array ToFloat32(const Array& array) {
  switch (array.type) {
    case ArrayType::kFloat64:
      return Converted<double>(array, FromNumber<double>);
    case ArrayType::kFloat32:
      return array;
    case ArrayType::kFloat16:
      return Converted<uint16_t>(array, FromHalf);
    case ArrayType::kBfloat16:
      return Converted<uint16_t>(array, FromBfloat16);
    case ArrayType::kInt64:
      return Converted<int64_t>(array, FromNumber<int64_t>);
    case ArrayType::kInt32:
      return Converted<int32_t>(array, FromNumber<int32_t>);
    case ArrayType::kInt16:
      return Converted<int16_t>(array, FromNumber<int16_t>);
    case ArrayType::kInt8:
      return Converted<int8_t>(array, FromNumber<int8_t>);
    case ArrayType::kUint8:
      return Converted<uint8_t>(array, FromNumber<uint8_t>);
    case ArrayType::kBool:
      return Converted<uint8_t>(array, [](uint8_t value) { return value != 0 ? 1.0f : 0.0f; });
  }
  return {};
}

Array ToBfloat16(const Array& array) {
  Array rounded = Array::Empty(ArrayType::kBfloat16, array.shape);
  const auto* bits = array.values<uint32_t>();
  auto* halves = rounded.values<uint16_t>();
  const int64_t size = array.size();
  for (int64_t i = 0; i < size; ++i)
    halves[i] = static_cast<uint16_t>((bits[i] + 0x7FFF + (bits[i] >> 16 & 1)) >> 16);
  return rounded;
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

}  // namespace seq2seq
