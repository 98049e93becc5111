#include "seq2seq/weights/quantized_weights.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/weights/array_values.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Array Normal(const std::vector<int64_t>& shape, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  Array array = Array::Empty(ArrayType::kFloat32, shape);
  std::generate_n(array.values<float>(), array.size(), [&] { return normal(generator); });
  return array;
}

ArrayMap SomeWeights() {
  const Array matrix = Normal({5, 7}, 1);
  std::fill_n(matrix.matrix().row(3), 7, 0.0f);
  return {
      {"cell.weight", matrix}, {"cell.bias", Normal({5}, 2)}, {"filter", Normal({2, 3, 2, 2}, 3)}};
}

// The largest absolute value of a row.
float Largest(Matrix values, int64_t row) {
  float largest = 0;
  for (int64_t i = 0; i < values.columns; ++i)
    largest = std::max(largest, std::abs(values.row(row)[i]));
  return largest;
}

TEST(QuantizedWeights, MatricesComeBackNear) {
  const ArrayMap weights = SomeWeights();
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    const ArrayMap quantized = QuantizeWeights(weights, precision);
    EXPECT_EQ(PrecisionOf(quantized), precision);
    const auto restored = DequantizeWeights(quantized, "file");
    ASSERT_TRUE(restored.ok()) << restored.status();
    ASSERT_EQ(restored->size(), weights.size());
    for (const auto& [name, array] : weights) {
      const Array& found = restored->at(name);
      EXPECT_EQ(found.type, ArrayType::kFloat32);
      ASSERT_EQ(found.shape, array.shape);
      if (precision == Precision::kFp32 || array.shape.size() != 2) {
        EXPECT_EQ(ValuesOf(found), ValuesOf(array)) << name;
        continue;
      }
      const Matrix values = array.matrix();
      for (int64_t row = 0; row < values.rows; ++row) {
        const float half_a_step = Largest(values, row) / 127 * 0.5001f;
        for (int64_t i = 0; i < values.columns; ++i) {
          const float value = values.row(row)[i];
          const float bound = precision == Precision::kBf16 ? std::abs(value) / 256 : half_a_step;
          EXPECT_LE(std::abs(found.matrix().row(row)[i] - value), bound) << name;
        }
      }
    }
  }
}

TEST(QuantizedWeights, IntegersAgreeWithRoundedQuotients) {
  // Rows of any length, with ties, which go to the even neighbour, and of any magnitude.
  for (const int64_t columns : {1, 7, 16, 67, 1000}) {
    for (const float magnitude : {1e-38f, 1e-3f, 1.0f, 1e38f}) {
      const Array weight = Normal({3, columns}, static_cast<uint32_t>(columns));
      for (int64_t i = 0; i < weight.size(); ++i)
        weight.values<float>()[i] *= magnitude / 8;  // Below infinity.
      for (int64_t i = 0; i < columns; ++i) weight.matrix().row(1)[i] = static_cast<float>(i) / 2;
      weight.matrix().row(1)[0] = -127;
      if (columns == 1000) weight.matrix().row(1)[0] = -508;  // A scale of 4: ties at odd numbers.
      const ArrayMap quantized = QuantizeWeights({{"w", weight}}, Precision::kInt8);
      EXPECT_EQ(quantized.at("w").shape, weight.shape);
      EXPECT_EQ(quantized.at("w.scales").shape, std::vector<int64_t>{3});
      for (int64_t row = 0; row < 3; ++row) {
        const float largest = Largest(weight.matrix(), row);
        const float scale = largest > 0 ? largest / 127 : 1;
        EXPECT_EQ(quantized.at("w.scales").values<float>()[row], scale);
        for (int64_t i = 0; i < columns; ++i) {
          ASSERT_EQ(quantized.at("w").values<int8_t>()[row * columns + i],
                    static_cast<int8_t>(std::nearbyint(weight.matrix().row(row)[i] / scale)))
              << weight.matrix().row(row)[i] << " / " << scale;
        }
      }
    }
  }
}

TEST(QuantizedWeights, TiesGoToEven) {
  const Array matrix = Floats({2, 6}, {127, 0.5, 1.5, 2.5, -0.5, -1.5, 0, 0, -0.0f, 0, 0, 0});
  const ArrayMap integers = QuantizeWeights({{"w", matrix}}, Precision::kInt8);
  EXPECT_THAT(ValuesOf<int8_t>(integers.at("w")),
              ElementsAre(127, 0, 2, 2, 0, -2, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(ValuesOf(integers.at("w.scales")), ElementsAre(1, 1));
  // 1 + 2^-8 and 1 + 3 x 2^-8 lie half way between numbers of 8 bits.
  const Array ties = Floats({1, 3}, {0x1.01p0f, 0x1.03p0f, -0x1.010002p0f});
  EXPECT_THAT(ValuesOf<uint16_t>(QuantizeWeights({{"w", ties}}, Precision::kBf16).at("w")),
              ElementsAre(0x3F80, 0x3F82, 0xBF81));
}

TEST(QuantizedWeights, QuantizingTwiceChangesNothing) {
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    const ArrayMap once = QuantizeWeights(SomeWeights(), precision);
    const auto restored = DequantizeWeights(once, "file");
    ASSERT_TRUE(restored.ok());
    const Array twice = QuantizeWeights(*restored, precision).at("cell.weight");
    ASSERT_EQ(twice.type, once.at("cell.weight").type);
    EXPECT_TRUE(std::equal(twice.data.get(), twice.data.get() + twice.bytes(),
                           once.at("cell.weight").data.get()));
  }
}

TEST(QuantizedWeights, NumbersWithoutScalesAreDamage) {
  ArrayMap quantized = QuantizeWeights(SomeWeights(), Precision::kInt8);
  quantized["cell.weight.scales"] = Constant({4}, 1);
  EXPECT_THAT(DequantizeWeights(quantized, "a.safetensors").status().message(),
              AllOf(HasSubstr("a.safetensors"), HasSubstr("cell.weight")));
  quantized["cell.weight.scales"] = Constant({5, 1}, 1);
  EXPECT_FALSE(DequantizeWeights(quantized, "a.safetensors").ok());
  quantized.erase("cell.weight.scales");
  EXPECT_EQ(DequantizeWeights(quantized, "a.safetensors").status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(QuantizedWeights, WhatIsNotFiniteIsDamage) {
  for (const float number : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
      for (const char* name : {"cell.bias", "cell.weight"}) {
        const ArrayMap weights = SomeWeights();
        weights.at(name).values<float>()[weights.at(name).size() - 1] = number;
        const absl::Status status =
            DequantizeWeights(QuantizeWeights(weights, precision), "a.safetensors").status();
        EXPECT_TRUE(absl::IsDataLoss(status)) << status;
        EXPECT_THAT(status.message(),
                    AllOf(HasSubstr("a.safetensors"), HasSubstr(absl::StrCat("'", name))));
      }
    }
  }
}

}  // namespace
}  // namespace seq2seq
