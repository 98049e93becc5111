#include "seq2seq/kernels/int8.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"

#include "seq2seq/kernels/product.h"
#include "tests/kernels/numbers.h"

namespace seq2seq {
namespace {

TEST(RoundToInt8, KeepsTheLargestOfARowAndAtMostHalfAStepIsLost) {
  for (const int64_t columns : {1, 5, 16, 37, 200}) {
    const RandomMatrix values(4, columns, 7);
    Clear(values.view.Rows(2, 1));
    std::vector<int8_t> rounded(static_cast<size_t>(4 * columns));
    std::vector<float> scales(4);
    RoundToInt8(values.view, rounded.data(), columns, scales.data());
    for (int64_t row = 0; row < 4; ++row) {
      const float scale = scales[static_cast<size_t>(row)];
      int largest = 0;
      for (int64_t i = 0; i < columns; ++i) {
        const int number = rounded[static_cast<size_t>(row * columns + i)];
        EXPECT_NEAR(scale * static_cast<float>(number), values.view.row(row)[i], 0.5001f * scale);
        largest = std::max(largest, std::abs(number));
      }
      EXPECT_EQ(largest, row == 2 ? 0 : 127);
    }
  }
}

// Products of integers are exact: only the quantisation of both sides differs from fp32.
TEST(Int8Products, AgreeWithTheSumsOfRoundedNumbers) {
  for (const int threads : {1, 2}) {
    omp_set_num_threads(threads);
    for (const auto& [m, n, k] : {std::tuple<int64_t, int64_t, int64_t>{1, 1, 1},
                                  {5, 33, 17},
                                  {3, 64, 128},
                                  {70, 100, 300}}) {
      const RandomMatrix a(m, k, 1), b(n, k, 2), before(m, n, 3);
      std::vector<int8_t> left(static_cast<size_t>(m * k)), right(static_cast<size_t>(n * k));
      std::vector<float> left_scales(static_cast<size_t>(m)), right_scales(static_cast<size_t>(n));
      RoundToInt8(a.view, left.data(), k, left_scales.data());
      RoundToInt8(b.view, right.data(), k, right_scales.data());
      const std::vector<float> bias = Numbers(n, 4);
      const PackedMatrix packed = PackedMatrix::PackTransposed(b.view, Precision::kInt8);
      const Buffer product(m, n), sum(m, n);
      Multiply(a.view, packed, product.view(), bias.data());
      Copy(before.view, sum.view());
      MultiplyAdd(a.view, packed, sum.view());
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          int64_t whole = 0;
          for (int64_t l = 0; l < k; ++l) {
            whole += static_cast<int64_t>(left[static_cast<size_t>(i * k + l)]) *
                     right[static_cast<size_t>(j * k + l)];
          }
          const double expected = static_cast<double>(whole) *
                                  static_cast<double>(left_scales[static_cast<size_t>(i)]) *
                                  static_cast<double>(right_scales[static_cast<size_t>(j)]);
          ASSERT_NEAR(product.view().row(i)[j],
                      expected + static_cast<double>(bias[static_cast<size_t>(j)]), 1e-4);
          ASSERT_NEAR(sum.view().row(i)[j], expected + static_cast<double>(before.view.row(i)[j]),
                      1e-4);
        }
      }
    }
  }
  omp_set_num_threads(1);
}

// Where 16-bit instructions would saturate: all values at their largest.
TEST(Int8Products, OfTheLargestNumbersAreExact) {
  constexpr int64_t kInner = 512, kColumns = 40, kRows = 9;
  const Buffer a(kRows, kInner), b(kColumns, kInner), c(kRows, kColumns);
  for (int64_t i = 0; i < kInner; ++i) {
    for (int64_t row = 0; row < kRows; ++row) a.view().row(row)[i] = row % 2 == 0 ? 127 : -127;
    for (int64_t column = 0; column < kColumns; ++column) {
      b.view().row(column)[i] = (column + i / (column + 1)) % 2 == 0 ? 127 : -127;
    }
  }
  Multiply(a.view(), PackedMatrix::PackTransposed(b.view(), Precision::kInt8), c.view());
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t column = 0; column < kColumns; ++column) {
      double sum = 0;
      for (int64_t i = 0; i < kInner; ++i) {
        sum += static_cast<double>(a.view().row(row)[i] * b.view().row(column)[i]);
      }
      EXPECT_EQ(static_cast<double>(c.view().row(row)[column]), sum) << row << ", " << column;
    }
  }
}

}  // namespace
}  // namespace seq2seq
