#include "seq2seq/kernels/normalization.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

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

}  // namespace
}  // namespace seq2seq
