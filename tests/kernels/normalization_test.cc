#include "seq2seq/kernels/normalization.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "seq2seq/kernels/parallel.h"
#include "tests/kernels/numbers.h"

namespace seq2seq {
namespace {

// Normalises a block of values by the definition, in double precision.
void Normalize(Matrix values) {
  double sum = 0;
  double squares = 0;
  for (int64_t row = 0; row < values.rows; ++row) {
    for (int64_t i = 0; i < values.columns; ++i) sum += static_cast<double>(values.row(row)[i]);
  }
  const auto count = static_cast<double>(values.rows * values.columns);
  for (int64_t row = 0; row < values.rows; ++row) {
    for (int64_t i = 0; i < values.columns; ++i) {
      const double difference = static_cast<double>(values.row(row)[i]) - sum / count;
      squares += difference * difference;
    }
  }
  for (int64_t row = 0; row < values.rows; ++row) {
    for (int64_t i = 0; i < values.columns; ++i) {
      values.row(row)[i] =
          static_cast<float>((static_cast<double>(values.row(row)[i]) - sum / count) /
                             std::sqrt(squares / count + 1e-5));
    }
  }
}

// Random values whose mean is larger than their deviation.
RandomMatrix Values(int64_t rows, int64_t columns) {
  const RandomMatrix values(rows, columns, 3);
  for (int64_t i = 0; i < rows * columns; ++i) values.view.data[i] += 20;
  return values;
}

TEST(GroupNormRelu, AgreesWithItsDefinition) {
  for (const int64_t rows : {1, 5, 256, 1000}) {
    for (const int64_t groups : {1, 2, 3}) {
      const int64_t columns = 18;
      const RandomMatrix values = Values(rows, columns);
      const RandomMatrix expected = Values(rows, columns);
      for (int64_t group = 0; group < groups; ++group)
        Normalize(expected.view.Columns(group * columns / groups, columns / groups));
      const std::vector<float> gain = Numbers(columns, 4);
      const std::vector<float> bias = Numbers(columns, 5);
      // In place.
      GroupNormRelu(values.view, groups, {gain.data(), bias.data()}, values.view);
      for (int64_t row = 0; row < rows; ++row) {
        for (size_t i = 0; i < gain.size(); ++i) {
          const float value = expected.view.row(row)[i] * gain[i] + bias[i];
          EXPECT_NEAR(values.view.row(row)[i], std::max(value, 0.0f), 2e-5)
              << rows << ", " << groups;
        }
      }
    }
  }
}

TEST(LayerNorm, AgreesWithItsDefinition) {
  for (const int64_t columns : {1, 7, 32, 100}) {
    const RandomMatrix values = Values(3, columns);
    const RandomMatrix expected = Values(3, columns);
    const RandomMatrix found(3, columns, 1);
    for (int64_t row = 0; row < 3; ++row) Normalize(expected.view.Rows(row, 1));
    const std::vector<float> gain = Numbers(columns, 4);
    const std::vector<float> bias = Numbers(columns, 5);
    LayerNorm(values.view, {gain.data(), bias.data()}, found.view);
    for (int64_t row = 0; row < 3; ++row) {
      for (size_t i = 0; i < gain.size(); ++i)
        EXPECT_NEAR(found.view.row(row)[i], expected.view.row(row)[i] * gain[i] + bias[i], 2e-5)
            << columns;
    }
  }
}

// The gradients of sum(output_gradient * output), in double precision.
TEST(LayerNorm, BackwardAgreesWithTheFormula) {
  for (const int64_t columns : {1, 7, 32, 100}) {
    for (const int64_t rows : {1, 64, 200}) {
      const RandomMatrix values(rows, columns, 3);
      const RandomMatrix of_output(rows, columns, 6);
      const std::vector<float> gain = Numbers(columns, 4);
      const auto size = static_cast<size_t>(columns);
      std::vector<double> gain_sums(size);
      std::vector<double> bias_sums(size);
      const Buffer found(rows, columns);
      std::vector<float> gain_gradient(size);
      std::vector<float> bias_gradient(size);
      LayerNormBackward(values.view, gain.data(), of_output.view,
                        {found.view(), gain_gradient.data(), bias_gradient.data()});
      for (int64_t row = 0; row < rows; ++row) {
        const auto at = [row](ConstMatrix matrix, size_t i) {
          return static_cast<double>(matrix.row(row)[i]);
        };
        const auto mean = [&](auto value) {
          double sum = 0;
          for (size_t i = 0; i < size; ++i) sum += value(i);
          return sum / static_cast<double>(size);
        };
        const double centre = mean([&](size_t i) { return at(values.view, i); });
        const double scale =
            1 / std::sqrt(mean([&](size_t i) { return std::pow(at(values.view, i) - centre, 2); }) +
                          1e-5);
        const auto normal = [&](size_t i) { return (at(values.view, i) - centre) * scale; };
        const auto g = [&](size_t i) {
          return at(of_output.view, i) * static_cast<double>(gain[i]);
        };
        const double slope = mean([&](size_t i) { return g(i) * normal(i); });
        const double offset = mean(g);
        for (size_t i = 0; i < size; ++i) {
          gain_sums[i] += at(of_output.view, i) * normal(i);
          bias_sums[i] += at(of_output.view, i);
          EXPECT_NEAR(at(found.view(), i), scale * (g(i) - offset - normal(i) * slope), 2e-5)
              << rows << " x " << columns;
        }
      }
      for (size_t i = 0; i < size; ++i) {
        EXPECT_NEAR(gain_gradient[i], gain_sums[i], 2e-5);
        EXPECT_NEAR(bias_gradient[i], bias_sums[i], 2e-5);
      }
    }
  }
}

TEST(LayerNorm, BackwardDoesNotDependOnThreads) {
  const RandomMatrix values(500, 50, 3);
  const RandomMatrix of_output(500, 50, 6);
  const std::vector<float> gain = Numbers(50, 4);
  std::vector<std::vector<float>> found;
  for (const int threads : {1, 2}) {
    SetParallelThreads(threads);
    const Buffer gradient(500, 50);
    std::vector<float> sums(100);
    LayerNormBackward(values.view, gain.data(), of_output.view,
                      {gradient.view(), sums.data(), sums.data() + 50});
    sums.insert(sums.end(), gradient.view().data, gradient.view().data + 500 * 50);
    found.push_back(sums);
  }
  SetParallelThreads(0);
  EXPECT_EQ(found[0], found[1]);
}

}  // namespace
}  // namespace seq2seq
