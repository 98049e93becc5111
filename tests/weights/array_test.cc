#include "seq2seq/weights/array.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/weights/array_values.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;

// The number of 16 bits with `exponent` exponent bits, by the definition of IEEE 754.
float Number(uint16_t bits, int exponent) {
  const int fraction = 15 - exponent;
  const int bias = (1 << (exponent - 1)) - 1;
  const int power = bits >> fraction & ((1 << exponent) - 1);
  const int significand = bits & ((1 << fraction) - 1);
  const float sign = bits >> 15 != 0 ? -1.0f : 1.0f;
  if (power == (1 << exponent) - 1)
    return significand != 0 ? std::nanf("") : sign * std::numeric_limits<float>::infinity();
  if (power == 0) return sign * std::ldexp(static_cast<float>(significand), 1 - bias - fraction);
  return sign *
         std::ldexp(static_cast<float>(significand + (1 << fraction)), power - bias - fraction);
}

TEST(Array, KnowsItsSizeInElementsAndBytes) {
  const Array array = Array::Empty(ArrayType::kInt16, {2, 3, 4});
  EXPECT_TRUE(array.defined());
  EXPECT_EQ(array.size(), 24);
  EXPECT_EQ(array.bytes(), 48u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(array.data.get()) % 64, 0u);
  EXPECT_EQ(Array::Empty(ArrayType::kFloat64, {}).bytes(), 8u);
  EXPECT_EQ(Array::Empty(ArrayType::kFloat64, {3, 0, 2}).size(), 0);
  EXPECT_TRUE(Array::Empty(ArrayType::kFloat64, {0}).defined());
  EXPECT_FALSE(Array().defined());
}

TEST(Array, CopiesShareTheirBytes) {
  const Array array = Constant({2}, 1);
  const Array copy = array;
  copy.values<float>()[1] = 5;
  EXPECT_THAT(ValuesOf(array), ElementsAre(1, 5));
}

TEST(Array, MatrixHasTheRowsOfTheLastDimension) {
  const Array array = Floats({2, 1, 3}, {0, 1, 2, 3, 4, 5});
  const Matrix matrix = array.matrix();
  EXPECT_EQ(matrix.rows, 2);
  EXPECT_EQ(matrix.columns, 3);
  EXPECT_EQ(matrix.row(1)[2], 5);
  const Array vector = Constant({4}, 0), scalar = Constant({}, 0), none = Constant({2, 0}, 0);
  EXPECT_EQ(vector.matrix().rows, 1);
  EXPECT_EQ(vector.matrix().columns, 4);
  EXPECT_EQ(scalar.matrix().rows, 1);
  EXPECT_EQ(scalar.matrix().columns, 1);
  EXPECT_EQ(none.matrix().rows, 0);
  EXPECT_EQ(none.matrix().columns, 0);
  EXPECT_EQ(Array().matrix().data, nullptr);
}

TEST(ToFloat32, NumbersOf16BitsAgreeWithTheirDefinition) {
  std::vector<uint16_t> all(1 << 16);
  std::iota(all.begin(), all.end(), uint16_t{0});
  for (const auto& [type, exponent] :
       {std::pair(ArrayType::kFloat16, 5), std::pair(ArrayType::kBfloat16, 8)}) {
    const std::vector<float> found = ValuesOf(ToFloat32(ArrayOf(type, {1 << 16}, all)));
    for (const uint16_t bits : all) {
      const float expected = Number(bits, exponent);
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(found[bits])) << bits;
      } else {  // With the sign of zero.
        EXPECT_EQ(std::bit_cast<uint32_t>(found[bits]), std::bit_cast<uint32_t>(expected)) << bits;
      }
    }
  }
}

TEST(ToFloat32, EveryTypeIsConverted) {
  const auto values = [](const Array& array) {
    const Array floats = ToFloat32(array);
    EXPECT_EQ(floats.type, ArrayType::kFloat32);
    EXPECT_EQ(floats.shape, array.shape);
    return ValuesOf(floats);
  };
  // 2^24 + 1 and 1/3 are rounded.
  EXPECT_THAT(values(ArrayOf<double>(ArrayType::kFloat64, {2, 1}, {-2, 1.0 / 3})),
              ElementsAre(-2, 1.0f / 3));
  EXPECT_THAT(values(ArrayOf<int64_t>(ArrayType::kInt64, {1, 2}, {-7, 16777217})),
              ElementsAre(-7, 16777216));
  EXPECT_THAT(values(ArrayOf<int32_t>(ArrayType::kInt32, {2}, {-7, 16777217})),
              ElementsAre(-7, 16777216));
  EXPECT_THAT(values(ArrayOf<int16_t>(ArrayType::kInt16, {2}, {-32768, 3})),
              ElementsAre(-32768, 3));
  EXPECT_THAT(values(ArrayOf<int8_t>(ArrayType::kInt8, {2}, {-128, 3})), ElementsAre(-128, 3));
  EXPECT_THAT(values(ArrayOf<uint8_t>(ArrayType::kUint8, {2}, {255, 3})), ElementsAre(255, 3));
  EXPECT_THAT(values(ArrayOf<uint8_t>(ArrayType::kBool, {2}, {0, 1})), ElementsAre(0, 1));
}

TEST(ToFloat32, FloatsStayWhereTheyAre) {
  const Array floats = Constant({3}, 1);
  EXPECT_EQ(ToFloat32(floats).data, floats.data);
}

TEST(ShapeText, ListsTheSizes) {
  EXPECT_EQ(ShapeText({512, 2048}), "[512, 2048]");
  EXPECT_EQ(ShapeText({}), "[]");
}

}  // namespace
}  // namespace seq2seq
