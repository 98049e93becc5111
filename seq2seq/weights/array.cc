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

template <typename T, typename Function>
void Transform(const char* elements, int64_t size, float* values, Function convert) {
  const auto* begin = reinterpret_cast<const T*>(elements);
  std::transform(begin, begin + size, values, convert);
}

// Converts `size` elements to nearest.
void Convert(ArrayType type, const char* elements, int64_t size, float* values) {
  switch (type) {
    case ArrayType::kFloat64:
      return Transform<double>(elements, size, values, FromNumber<double>);
    case ArrayType::kFloat32:
      return Transform<float>(elements, size, values, FromNumber<float>);
    case ArrayType::kFloat16:
      return Transform<uint16_t>(elements, size, values, FromHalf);
    case ArrayType::kBfloat16:
      return Transform<uint16_t>(elements, size, values, FromBfloat16);
    case ArrayType::kInt64:
      return Transform<int64_t>(elements, size, values, FromNumber<int64_t>);
    case ArrayType::kInt32:
      return Transform<int32_t>(elements, size, values, FromNumber<int32_t>);
    case ArrayType::kInt16:
      return Transform<int16_t>(elements, size, values, FromNumber<int16_t>);
    case ArrayType::kInt8:
      return Transform<int8_t>(elements, size, values, FromNumber<int8_t>);
    case ArrayType::kUint8:
      return Transform<uint8_t>(elements, size, values, FromNumber<uint8_t>);
    case ArrayType::kBool:
      return Transform<uint8_t>(elements, size, values,
                                [](uint8_t value) { return value != 0 ? 1.0f : 0.0f; });
  }
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
  if (array.type == ArrayType::kFloat32) return array;
  Array floats = Array::Empty(ArrayType::kFloat32, array.shape);
  if (array.scales == nullptr) {
    Convert(array.type, array.data.get(), array.size(), floats.values<float>());
    return floats;
  }
  const Matrix rows = floats.matrix();
  for (int64_t row = 0; row < rows.rows; ++row) CopyRow(array, row, rows.row(row));
  return floats;
}

void CopyRow(const Array& matrix, int64_t row, float* values) {
  const int64_t columns = matrix.shape.back();
  const size_t offset = static_cast<size_t>(row * columns) * ElementSize(matrix.type);
  Convert(matrix.type, matrix.data.get() + offset, columns, values);
  if (matrix.scales == nullptr) return;
  const float scale = matrix.scales.get()[row];
  for (int64_t i = 0; i < columns; ++i) values[i] *= scale;
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
