#include "seq2seq/kernels/activation.h"

#include <cmath>
#include <cstdint>
#include <string>

#include "gtest/gtest.h"

#include "seq2seq/base/enum_text.h"
#include "seq2seq/kernels/parallel.h"
#include "tests/kernels/numbers.h"

namespace seq2seq {
namespace {

constexpr ActivationKind kKinds[] = {ActivationKind::kRelu, ActivationKind::kGelu,
                                     ActivationKind::kSilu};

double Value(ActivationKind kind, double x) {
  switch (kind) {
    case ActivationKind::kRelu:
      return std::max(x, 0.0);
    case ActivationKind::kGelu:
      return x * std::erfc(-x / std::sqrt(2.0)) / 2;
    case ActivationKind::kSilu:
      return x / (1 + std::exp(-x));
  }
  return 0;  // Not one of the kinds.
}

// By a difference; x is not near 0, where the slope of ReLU is not defined.
double Slope(ActivationKind kind, double x) {
  constexpr double kStep = 1e-5;
  return (Value(kind, x + kStep) - Value(kind, x - kStep)) / (2 * kStep);
}

// Values from -12 to 12.
RandomMatrix Wide(int64_t rows, int64_t columns) {
  const RandomMatrix values(rows, columns, 1);
  for (int64_t i = 0; i < rows * columns; ++i) values.view.data[i] *= 12;
  return values;
}

TEST(Activation, AgreesWithItsDefinition) {
  for (const ActivationKind kind : kKinds) {
    const RandomMatrix values = Wide(70, 37);
    const RandomMatrix of_output(70, 37, 2);
    const Buffer output(70, 37);
    const Buffer gradient(70, 37);
    Activate(kind, values.view, output.view());
    ActivateBackward(kind, values.view, of_output.view, gradient.view());
    for (int64_t i = 0; i < 70 * 37; ++i) {
      const auto x = static_cast<double>(values.view.data[i]);
      const auto g = static_cast<double>(of_output.view.data[i]);
      EXPECT_NEAR(output.view().data[i], Value(kind, x), 3e-7 * std::max(1.0, std::abs(x)))
          << EnumText(kind) << " of " << x;
      EXPECT_NEAR(gradient.view().data[i], g * Slope(kind, x), 2e-6)
          << EnumText(kind) << " of " << x;
    }
  }
}

TEST(Activation, OfExtremeValuesIsFinite) {
  for (const ActivationKind kind : kKinds) {
    for (const float x : {-1e30f, -1000.0f, 1000.0f, 1e18f}) {
      float value = x;
      float gradient = 1;
      const Matrix values = {&value, 1, 1, 1};
      ActivateBackward(kind, values, {&gradient, 1, 1, 1}, {&gradient, 1, 1, 1});
      Activate(kind, values, values);
      EXPECT_NEAR(value, x > 0 ? x : 0, 1e-3) << EnumText(kind);
      EXPECT_NEAR(gradient, x > 0 ? 1 : 0, 1e-3) << EnumText(kind);
    }
  }
}

TEST(Activation, GatedAgreesWithItsDefinition) {
  constexpr int64_t kSize = 37;
  for (const ActivationKind kind : kKinds) {
    const RandomMatrix both = Wide(70, 2 * kSize);
    const RandomMatrix of_output(70, kSize, 2);
    const Matrix gates = both.view.Columns(0, kSize);
    const Matrix values = both.view.Columns(kSize, kSize);
    const Buffer output(70, kSize);
    const Buffer gradients(70, 2 * kSize);
    ActivateGated(kind, gates, values, output.view());
    ActivateGatedBackward(kind, gates, values, of_output.view, gradients.view().Columns(0, kSize),
                          gradients.view().Columns(kSize, kSize));
    for (int64_t row = 0; row < 70; ++row) {
      for (int64_t i = 0; i < kSize; ++i) {
        const auto x = static_cast<double>(gates.row(row)[i]);
        const auto v = static_cast<double>(values.row(row)[i]);
        const auto g = static_cast<double>(of_output.view.row(row)[i]);
        EXPECT_NEAR(output.view().row(row)[i], v * Value(kind, x), 1e-4);
        EXPECT_NEAR(gradients.view().row(row)[i], g * v * Slope(kind, x), 2e-5);
        EXPECT_NEAR(gradients.view().row(row)[kSize + i], g * Value(kind, x), 1e-5);
      }
    }
  }
}

}  // namespace
}  // namespace seq2seq
