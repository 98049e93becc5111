#include "seq2seq/kernels/convolution.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "seq2seq/base/enum_text.h"
#include "seq2seq/kernels/parallel.h"
#include "tests/kernels/numbers.h"

namespace seq2seq {
namespace {

FeatureMap RandomMap(int64_t height, int64_t width, int64_t channels, uint64_t seed) {
  return {RandomMatrix(height * width, channels, seed).buffer, height, width};
}

std::vector<float> RandomWeight(const ConvolutionShape& shape) {
  return Numbers(shape.output * shape.input * shape.kernel * shape.kernel, 7);
}

// By the definition, in double precision: [pixel, output].
std::vector<double> PlainConvolution(const ConvolutionShape& shape,
                                     const std::vector<float>& weight, const FeatureMap& input) {
  std::vector<double> sums;
  for (int64_t y = 0; y < input.height; y += shape.stride) {
    for (int64_t x = 0; x < input.width; x += shape.stride) {
      size_t next = 0;  // In the weight, [output, input, kernel, kernel].
      for (int64_t output = 0; output < shape.output; ++output) {
        double sum = 0;
        for (int64_t channel = 0; channel < shape.input; ++channel) {
          for (int64_t i = y - shape.kernel / 2; i <= y + shape.kernel / 2; ++i) {
            for (int64_t j = x - shape.kernel / 2; j <= x + shape.kernel / 2; ++j) {
              const auto factor = static_cast<double>(weight[next++]);
              if (i < 0 || i >= input.height || j < 0 || j >= input.width) continue;
              sum += factor *
                     static_cast<double>(input.values.view().row(i * input.width + j)[channel]);
            }
          }
        }
        sums.push_back(sum);
      }
    }
  }
  return sums;
}

// The largest difference, as a share of the largest value.
double Difference(const FeatureMap& found, const std::vector<double>& expected) {
  const Matrix values = found.values.view();
  EXPECT_EQ(values.rows * values.columns, static_cast<int64_t>(expected.size()));
  double difference = 0;
  double largest = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference = std::max(difference, std::abs(static_cast<double>(values.data[i]) - expected[i]));
    largest = std::max(largest, std::abs(expected[i]));
  }
  return difference / largest;
}

TEST(PackedConvolution, AgreesWithItsDefinition) {
  for (const auto& [height, width] :
       std::vector<std::pair<int64_t, int64_t>>{{1, 1}, {2, 3}, {9, 14}, {31, 17}}) {
    for (const ConvolutionShape& shape :
         {ConvolutionShape{3, 4, 5, 2}, {5, 17, 3, 1}, {16, 3, 3, 2}, {7, 8, 1, 2}, {2, 2, 1, 1}}) {
      const std::string what =
          absl::StrCat(height, " x ", width, ", kernel ", shape.kernel, ", stride ", shape.stride);
      const std::vector<float> weight = RandomWeight(shape);
      const FeatureMap input = RandomMap(height, width, shape.input, 3);
      const PackedConvolution convolution(shape, weight.data(), Precision::kFp32);
      const FeatureMap found = convolution.Apply(input);
      EXPECT_EQ(found.height, (height + shape.stride - 1) / shape.stride) << what;
      EXPECT_EQ(found.width, (width + shape.stride - 1) / shape.stride) << what;
      std::vector<double> expected = PlainConvolution(shape, weight, input);
      EXPECT_LT(Difference(found, expected), 1e-6) << what;
      convolution.AddTo(input, found);
      for (double& value : expected) value *= 2;
      EXPECT_LT(Difference(found, expected), 1e-6) << what;
    }
  }
}

TEST(PackedConvolution, DoesNotDependOnTheNumberOfThreads) {
  const ConvolutionShape shape = {8, 12, 3, 1};
  const FeatureMap input = RandomMap(40, 33, shape.input, 3);
  const PackedConvolution convolution(shape, RandomWeight(shape).data(), Precision::kFp32);
  std::vector<FeatureMap> found;
  for (const int threads : {1, 3}) {
    SetParallelThreads(threads);
    found.push_back(convolution.Apply(input));
  }
  SetParallelThreads(0);
  const Matrix one = found[0].values.view();
  EXPECT_TRUE(std::equal(one.data, one.data + one.rows * one.columns, found[1].values.view().data));
}

TEST(PackedConvolution, LowerPrecisionsStayNear) {
  const ConvolutionShape shape = {16, 12, 3, 1};
  const std::vector<float> weight = RandomWeight(shape);
  const FeatureMap input = RandomMap(12, 15, shape.input, 3);
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    if (!SupportsProducts(precision)) continue;
    const PackedConvolution convolution(shape, weight.data(), precision);
    const double difference =
        Difference(convolution.Apply(input), PlainConvolution(shape, weight, input));
    EXPECT_LT(difference, 0.01) << EnumText(precision);
    EXPECT_GT(difference, 1e-4) << EnumText(precision);  // Or it was not used.
  }
}

}  // namespace
}  // namespace seq2seq
