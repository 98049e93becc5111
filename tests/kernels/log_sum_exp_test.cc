#include "seq2seq/kernels/log_sum_exp.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"

#include "tests/kernels/numbers.h"

namespace seq2seq {
namespace {

TEST(LogSumExp, AgreesWithItsFormulaAlsoFarFromZero) {
  for (const int64_t columns : {1, 7, 16, 100, 1003}) {
    for (const float offset : {0.0f, -300.0f, 300.0f}) {
      const RandomMatrix scores(3, columns, 5);
      std::vector<float> found(3);
      for (int64_t i = 0; i < 3 * columns; ++i) {
        scores.view.data[i] = 10 * scores.view.data[i] + offset;
      }
      LogSumExp(scores.view, found.data());
      for (int64_t row = 0; row < 3; ++row) {
        double sum = 0;
        for (int64_t i = 0; i < columns; ++i) {
          sum +=
              std::exp(static_cast<double>(scores.view.row(row)[i]) - static_cast<double>(offset));
        }
        EXPECT_NEAR(found[static_cast<size_t>(row)], std::log(sum) + static_cast<double>(offset),
                    1e-4);
      }
    }
  }
}

}  // namespace
}  // namespace seq2seq
