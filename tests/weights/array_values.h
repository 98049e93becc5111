// Arrays of given values, and the values of arrays.
#ifndef TESTS_WEIGHTS_ARRAY_VALUES_H_
#define TESTS_WEIGHTS_ARRAY_VALUES_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "seq2seq/weights/array.h"

namespace seq2seq {

// An array of `values`, which `shape` must have room for; T is the C++ type of `type`.
template <typename T>
Array ArrayOf(ArrayType type, std::vector<int64_t> shape, const std::vector<T>& values) {
  Array array = Array::Empty(type, std::move(shape));
  EXPECT_EQ(array.size(), static_cast<int64_t>(values.size()));
  EXPECT_EQ(ElementSize(type), sizeof(T));
  std::copy(values.begin(), values.end(), array.values<T>());
  return array;
}

inline Array Floats(std::vector<int64_t> shape, const std::vector<float>& values) {
  return ArrayOf(ArrayType::kFloat32, std::move(shape), values);
}

inline Array Constant(std::vector<int64_t> shape, float value) {
  Array array = Array::Empty(ArrayType::kFloat32, std::move(shape));
  std::fill_n(array.values<float>(), array.size(), value);
  return array;
}

// The elements of `array`, whose C++ type is T.
template <typename T = float>
std::vector<T> ValuesOf(const Array& array) {
  EXPECT_EQ(ElementSize(array.type), sizeof(T));
  return std::vector<T>(array.values<T>(), array.values<T>() + array.size());
}

}  // namespace seq2seq

#endif  // TESTS_WEIGHTS_ARRAY_VALUES_H_
