// Arrays of numbers: type, shape and bytes, as files of weights and features hold them.
#ifndef SEQ2SEQ_WEIGHTS_ARRAY_H_
#define SEQ2SEQ_WEIGHTS_ARRAY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

enum class ArrayType {
  kFloat64,
  kFloat32,
  kFloat16,
  kBfloat16,
  kInt64,
  kInt32,
  kInt16,
  kInt8,
  kUint8,
  kBool,
};

// Bytes of an element.
size_t ElementSize(ArrayType type);

// Whether the elements are floating-point numbers.
bool IsFloat(ArrayType type);

// An array in row-major order. A value: copies share the bytes, which may be a part of a mapped
// file or of a tensor.
struct Array {
  ArrayType type = ArrayType::kFloat32;
  std::vector<int64_t> shape;
  std::shared_ptr<char> data;  // Null if undefined. Aligned to the element size.
  // Of a quantised matrix in int8: the factors of its rows; else null.
  std::shared_ptr<const float> scales = nullptr;

  // An uninitialised array of its own, aligned to cache lines.
  static Array Empty(ArrayType type, std::vector<int64_t> shape);

  bool defined() const { return data != nullptr; }

  // Number of elements, and their bytes, by type and shape.
  int64_t size() const;
  size_t bytes() const { return static_cast<size_t>(size()) * ElementSize(type); }

  // The elements; T must be the C++ type of `type`: uint16_t for float16 and bfloat16, uint8_t, 0
  // for false, for bool.
  template <typename T>
  T* values() const {
    return reinterpret_cast<T*>(data.get());
  }

  // A view of floats as rows of the last dimension; empty if undefined. `type` must be kFloat32.
  Matrix matrix() const;
};

// Arrays by name.
using ArrayMap = std::map<std::string, Array>;

// The array in fp32: itself, or a copy converted from any type, to nearest, and dequantised.
Array ToFloat32(const Array& array);

// Sets `values`, [columns], to a row of a matrix [rows, columns] in fp32, as ToFloat32 converts it.
void CopyRow(const Array& matrix, int64_t row, float* values);

// An array of fp32 in bfloat16, rounded to nearest, ties to even.
Array ToBfloat16(const Array& array);

// "[512, 2048]".
std::string ShapeText(const std::vector<int64_t>& shape);

}  // namespace seq2seq

#endif  // SEQ2SEQ_WEIGHTS_ARRAY_H_
