#include "seq2seq/weights/quantized_weights.h"

#include <cmath>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TensorMap SomeWeights() {
  torch::manual_seed(1);
  torch::Tensor matrix = torch::randn({5, 7});
  matrix[3].zero_();
  return {{"cell.weight", matrix},
          {"cell.bias", torch::randn({5})},
          {"filter", torch::randn({2, 3, 2, 2})}};
}

TEST(QuantizedWeights, MatricesComeBackNear) {
  const TensorMap weights = SomeWeights();
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    const TensorMap rounded = QuantizeWeights(weights, precision);
    EXPECT_EQ(PrecisionOf(rounded), precision);
    const auto restored = DequantizeWeights(rounded, "file");
    ASSERT_TRUE(restored.ok()) << restored.status();
    ASSERT_EQ(restored->size(), weights.size());
    for (const auto& [name, tensor] : weights) {
      const torch::Tensor found = restored->at(name);
      EXPECT_EQ(found.scalar_type(), torch::kFloat32);
      const torch::Tensor difference = (found - tensor).abs();
      if (precision == Precision::kFp32 || tensor.dim() != 2) {
        EXPECT_EQ(difference.max().item<float>(), 0) << name;
      } else if (precision == Precision::kBf16) {
        EXPECT_TRUE((difference <= tensor.abs() / 256).all().item<bool>()) << name;
      } else {
        const torch::Tensor half_a_step = tensor.abs().amax(1, /*keepdim=*/true) / 127 * 0.5001;
        EXPECT_TRUE((difference <= half_a_step).all().item<bool>()) << name;
      }
    }
  }
}

TEST(QuantizedWeights, RoundingTwiceChangesNothing) {
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    const TensorMap once = QuantizeWeights(SomeWeights(), precision);
    const auto restored = DequantizeWeights(once, "file");
    ASSERT_TRUE(restored.ok());
    EXPECT_TRUE(torch::equal(QuantizeWeights(*restored, precision).at("cell.weight"),
                             once.at("cell.weight")));
  }
}

TEST(QuantizedWeights, NumbersWithoutScalesAreDamage) {
  TensorMap rounded = QuantizeWeights(SomeWeights(), Precision::kInt8);
  rounded["cell.weight.scales"] = torch::ones({4});
  EXPECT_THAT(DequantizeWeights(rounded, "a.safetensors").status().message(),
              AllOf(HasSubstr("a.safetensors"), HasSubstr("cell.weight")));
  rounded.erase("cell.weight.scales");
  EXPECT_EQ(DequantizeWeights(rounded, "a.safetensors").status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(QuantizedWeights, WhatIsNotFiniteIsDamage) {
  for (const double number : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
      TensorMap weights = SomeWeights();
      weights["cell.bias"].view(-1)[-1] = number;
      const absl::Status status =
          DequantizeWeights(QuantizeWeights(weights, precision), "a.safetensors").status();
      EXPECT_TRUE(absl::IsDataLoss(status)) << status;
      EXPECT_THAT(status.message(), AllOf(HasSubstr("a.safetensors"), HasSubstr("'cell.bias'")));
    }
  }
}

}  // namespace
}  // namespace seq2seq
