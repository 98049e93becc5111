#include "seq2seq/kernels/rotary.h"

#include <cmath>
#include <cstdint>

#include "gtest/gtest.h"

#include "seq2seq/kernels/matrix.h"
#include "tests/kernels/numbers.h"

namespace seq2seq {
namespace {

TEST(Rotary, AgreesWithItsDefinitionAndItsInverse) {
  for (const int64_t head_size : {2, 6, 16, 64}) {
    const int64_t size = 3 * head_size;
    const SequenceRows rows({5, 1, 20});
    const RotaryTable table(head_size, 20);
    const RandomMatrix values(rows.rows(), size, 1);
    const RandomMatrix rotated(rows.rows(), size, 2);
    Rotate(table, rows, /*inverse=*/false, values.view, rotated.view);
    rows.ForEachToken([&](int64_t row, int64_t sequence, int64_t position) {
      for (int64_t i = 0; i < size; ++i) {
        const int64_t in_head = i % head_size;
        const bool second = in_head >= head_size / 2;
        const int64_t pair = in_head % (head_size / 2);
        const double angle =
            static_cast<double>(position) *
            std::pow(10000.0, -2.0 * static_cast<double>(pair) / static_cast<double>(head_size));
        const auto own = static_cast<double>(values.view.row(row)[i]);
        const auto other = static_cast<double>(
            values.view.row(row)[second ? i - head_size / 2 : i + head_size / 2]);
        EXPECT_NEAR(rotated.view.row(row)[i],
                    own * std::cos(angle) + (second ? other : -other) * std::sin(angle), 1e-6);
      }
    });
    for (int64_t i = 0; i < size; ++i) EXPECT_EQ(rotated.view.row(rows.tokens())[i], 0);
    Rotate(table, rows, /*inverse=*/true, rotated.view, rotated.view);
    for (int64_t i = 0; i < rows.tokens() * size; ++i)
      EXPECT_NEAR(rotated.view.data[i], values.view.data[i], 1e-6);
  }
}

TEST(Rotary, StepsAgreeWithTheWholeSequence) {
  const SequenceRows rows({7});
  const RotaryTable table(10, 7);
  const RandomMatrix values(rows.rows(), 30, 1);
  const Buffer rotated(rows.rows(), 30);
  Rotate(table, rows, /*inverse=*/false, values.view, rotated.view());
  for (int64_t position = 0; position < 7; ++position) {
    RotateStep(table, position, values.view.Rows(position, 1));
    for (int64_t i = 0; i < 30; ++i)
      EXPECT_EQ(values.view.row(position)[i], rotated.view().row(position)[i]);
  }
}

}  // namespace
}  // namespace seq2seq
