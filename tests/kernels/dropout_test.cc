#include "seq2seq/kernels/dropout.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "tests/kernels/numbers.h"

namespace seq2seq {
namespace {

TEST(Dropout, DropsItsShareAndScalesTheRest) {
  const Buffer ones(200, 333);
  for (int64_t i = 0; i < 200 * 333; ++i) ones.view().data[i] = 1;
  for (const double rate : {0.1, 0.5, 0.9}) {
    const Buffer dropped(200, 333);
    Dropout(ones.view(), rate, 7, 0, dropped.view());
    int64_t zeros = 0;
    for (int64_t i = 0; i < 200 * 333; ++i) {
      const float value = dropped.view().data[i];
      if (value == 0) {
        ++zeros;
      } else {
        EXPECT_FLOAT_EQ(value, static_cast<float>(1 / (1 - rate)));
      }
    }
    EXPECT_NEAR(static_cast<double>(zeros) / (200 * 333), rate, 0.01);
  }
}

TEST(Dropout, IsAFunctionOfSeedRowAndColumn) {
  const RandomMatrix values(20, 40, 1);
  const Buffer whole(20, 40);
  const Buffer again(20, 40);
  const Buffer other(20, 40);
  Dropout(values.view, 0.5, 7, 0, whole.view());
  Dropout(values.view.Rows(0, 8), 0.5, 7, 0, again.view().Rows(0, 8));
  Dropout(values.view.Rows(8, 12), 0.5, 7, 8, again.view().Rows(8, 12));
  Dropout(values.view, 0.5, 8, 0, other.view());
  int64_t different = 0;
  for (int64_t i = 0; i < 800; ++i) {
    EXPECT_EQ(whole.view().data[i], again.view().data[i]) << i;
    different += whole.view().data[i] != other.view().data[i];
  }
  EXPECT_NEAR(static_cast<double>(different), 400, 80);
}

TEST(Dropout, OfRateZeroCopies) {
  const RandomMatrix values(3, 5, 1);
  const Buffer copied(3, 5);
  Dropout(values.view, 0, 7, 0, copied.view());
  for (int64_t i = 0; i < 15; ++i) EXPECT_EQ(copied.view().data[i], values.view.data[i]);
}

TEST(DropoutAdd, AddsWhatDropoutKeeps) {
  const RandomMatrix values(9, 37, 1);
  const RandomMatrix residual(9, 37, 2);
  for (const double rate : {0.0, 0.4}) {
    const Buffer dropped(9, 37);
    const Buffer sum(9, 37);
    Dropout(values.view, rate, 7, 5, dropped.view());
    DropoutAdd(residual.view, values.view, rate, 7, 5, sum.view());
    for (int64_t i = 0; i < 9 * 37; ++i) {
      EXPECT_NEAR(sum.view().data[i], residual.view.data[i] + dropped.view().data[i], 1e-6);
      if (dropped.view().data[i] == 0) {
        EXPECT_EQ(sum.view().data[i], residual.view.data[i]);
      }
    }
  }
}

}  // namespace
}  // namespace seq2seq
