#include "seq2seq/kernels/ssru.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "tests/kernels/numbers.h"

namespace seq2seq {
namespace {

// The loss sum(hidden_gradient * hidden) of a column of a sequence, in double.
double Loss(const std::vector<double>& input, const std::vector<double>& forget,
            const std::vector<double>& hidden_gradient) {
  double c = 0;
  double loss = 0;
  for (size_t t = 0; t < input.size(); ++t) {
    const double f = 1 / (1 + std::exp(-forget[t]));
    c = f * c + (1 - f) * input[t];
    loss += hidden_gradient[t] * std::max(c, 0.0);
  }
  return loss;
}

std::vector<double> Column(ConstMatrix rows, int64_t column) {
  std::vector<double> values;
  for (int64_t row = 0; row < rows.rows; ++row)
    values.push_back(static_cast<double>(rows.row(row)[column]));
  return values;
}

TEST(Ssru, AgreesWithItsDefinition) {
  constexpr double kStep = 1e-5;
  for (const int64_t size : {1, 5, 40}) {
    const SequenceRows rows({4, 1, 9, 2});
    const RandomMatrix product(rows.rows(), 2 * size, 1);
    const SsruInput inputs = {product.view.Columns(0, size), product.view.Columns(size, size)};
    const RandomMatrix of_hidden(rows.rows(), size, 2);
    const RandomMatrix cell_state(rows.rows(), size, 3);
    const RandomMatrix hidden(rows.rows(), size, 4);
    const RandomMatrix gradient(rows.rows(), 2 * size, 5);
    SsruForward(rows, inputs, cell_state.view, hidden.view);
    SsruBackward(rows, inputs, cell_state.view, of_hidden.view, gradient.view.Columns(0, size),
                 gradient.view.Columns(size, size));
    for (int64_t sequence = 0; sequence < rows.batch(); ++sequence) {
      for (int64_t i = 0; i < size; ++i) {
        std::vector<double> input = Column(rows.Of(inputs.input, sequence), i);
        std::vector<double> forget = Column(rows.Of(inputs.forget, sequence), i);
        const std::vector<double> weights = Column(rows.Of(of_hidden.view, sequence), i);
        for (size_t t = 0; t < input.size(); ++t) {
          std::vector<double> one(input.size());
          one[t] = 1;
          const int64_t row = rows.begin(sequence) + static_cast<int64_t>(t);
          EXPECT_NEAR(hidden.view.row(row)[i], Loss(input, forget, one), 1e-6);
          const auto slope = [&](double& x) {
            x += kStep;
            const double above = Loss(input, forget, weights);
            x -= 2 * kStep;
            const double below = Loss(input, forget, weights);
            x += kStep;
            return (above - below) / (2 * kStep);
          };
          EXPECT_NEAR(gradient.view.row(row)[i], slope(input[t]), 1e-5);
          EXPECT_NEAR(gradient.view.row(row)[size + i], slope(forget[t]), 1e-5);
        }
      }
    }
    for (int64_t row = rows.tokens(); row < rows.rows(); ++row) {
      for (int64_t i = 0; i < size; ++i) {
        EXPECT_EQ(hidden.view.row(row)[i], 0);
        EXPECT_EQ(gradient.view.row(row)[i], 0);
        EXPECT_EQ(gradient.view.row(row)[size + i], 0);
      }
    }
  }
}

TEST(Ssru, StepsAgreeWithTheWholeSequence) {
  constexpr int64_t kSize = 19;
  const SequenceRows rows({6});
  const RandomMatrix product(rows.rows(), 2 * kSize, 1);
  const SsruInput inputs = {product.view.Columns(0, kSize), product.view.Columns(kSize, kSize)};
  const Buffer cell_state(rows.rows(), kSize);
  const Buffer hidden(rows.rows(), kSize);
  SsruForward(rows, inputs, cell_state.view(), hidden.view());
  const Buffer state(1, kSize);
  const Buffer output(1, kSize);
  for (int64_t t = 0; t < 6; ++t) {
    SsruStep({inputs.input.Rows(t, 1), inputs.forget.Rows(t, 1)},
             t == 0 ? ConstMatrix() : state.view(), state.view(), output.view());
    for (int64_t i = 0; i < kSize; ++i) {
      EXPECT_EQ(output.view().data[i], hidden.view().row(t)[i]);
      EXPECT_EQ(state.view().data[i], cell_state.view().row(t)[i]);
    }
  }
}

}  // namespace
}  // namespace seq2seq
