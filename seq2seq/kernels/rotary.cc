#include "seq2seq/kernels/rotary.h"

#include <cmath>

#include "seq2seq/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/rotary.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

// Rotates the pairs of all heads in a row.
void RotateRow(const float* HWY_RESTRICT cosines, const float* HWY_RESTRICT sines, bool inverse,
               int64_t half, int64_t columns, const float* from, float* to) {
  for (int64_t head = 0; head + 2 * half <= columns; head += 2 * half) {
    ForEach(half, [&](auto d, int64_t i) HWY_ATTR {
      const auto a = hn::LoadU(d, from + head + i);
      const auto b = hn::LoadU(d, from + head + half + i);
      const auto cosine = hn::LoadU(d, cosines + i);
      auto sine = hn::LoadU(d, sines + i);
      if (inverse) sine = hn::Neg(sine);
      hn::StoreU(hn::NegMulAdd(b, sine, hn::Mul(a, cosine)), d, to + head + i);
      hn::StoreU(hn::MulAdd(a, sine, hn::Mul(b, cosine)), d, to + head + half + i);
    });
  }
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(RotateRow);

RotaryTable::RotaryTable(int64_t head_size, int64_t positions, double base)
    : cosines_(positions, head_size / 2), sines_(positions, head_size / 2) {
  for (int64_t i = 0; i < head_size / 2; ++i) {
    const double frequency =
        std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(head_size));
    for (int64_t position = 0; position < positions; ++position) {
      const double angle = static_cast<double>(position) * frequency;
      cosines_.view().row(position)[i] = static_cast<float>(std::cos(angle));
      sines_.view().row(position)[i] = static_cast<float>(std::sin(angle));
    }
  }
}

void Rotate(const RotaryTable& table, const SequenceRows& rows, bool inverse, ConstMatrix from,
            Matrix to) {
  ParallelFor(rows.batch(), [&](int64_t sequence) {
    const ConstMatrix source = rows.Of(from, sequence);
    const Matrix target = rows.Of(to, sequence);
    for (int64_t position = 0; position < target.rows; ++position) {
      HWY_DYNAMIC_DISPATCH(RotateRow)
      (table.cosines().row(position), table.sines().row(position), inverse, table.head_size() / 2,
       target.columns, source.row(position), target.row(position));
    }
  });
  Clear(rows.Tail(to));
}

void RotateStep(const RotaryTable& table, int64_t position, Matrix values) {
  for (int64_t row = 0; row < values.rows; ++row) {
    HWY_DYNAMIC_DISPATCH(RotateRow)
    (table.cosines().row(position), table.sines().row(position), /*inverse=*/false,
     table.head_size() / 2, values.columns, values.row(row), values.row(row));
  }
}

}  // namespace seq2seq
#endif  // HWY_ONCE
