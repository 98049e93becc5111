#include "seq2seq/kernels/dropout.h"

#include <algorithm>

#include "seq2seq/base/random.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/dropout.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "seq2seq/kernels/dropout-inl.h"
#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

void DropoutRow(const float* from, int64_t size, uint32_t key, const DropoutRate& rate, float* to) {
  if (rate.threshold == 0) {
    std::copy_n(from, size, to);
    return;
  }
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const auto value = hn::Mul(hn::LoadU(d, from + i), hn::Set(d, rate.scale));
    hn::StoreU(hn::IfThenZeroElse(Dropped(d, key, i, rate.threshold), value), d, to + i);
  });
}

void DropoutAddRow(const float* residual, const float* from, int64_t size, uint32_t key,
                   const DropoutRate& rate, float* to) {
  if (rate.threshold == 0) {
    ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
      hn::StoreU(hn::Add(hn::LoadU(d, residual + i), hn::LoadU(d, from + i)), d, to + i);
    });
    return;
  }
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const auto before = hn::LoadU(d, residual + i);
    const auto sum = hn::MulAdd(hn::LoadU(d, from + i), hn::Set(d, rate.scale), before);
    hn::StoreU(hn::IfThenElse(Dropped(d, key, i, rate.threshold), before, sum), d, to + i);
  });
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(DropoutRow);
HWY_EXPORT(DropoutAddRow);

namespace {

uint32_t KeyOf(uint64_t seed, int64_t row) {
  return static_cast<uint32_t>(DeriveSeed({seed, static_cast<uint64_t>(row)}));
}

}  // namespace

void Dropout(ConstMatrix from, double rate, uint64_t seed, int64_t first, Matrix to) {
  const DropoutRate dropout(rate);
  for (int64_t row = 0; row < to.rows; ++row) {
    HWY_DYNAMIC_DISPATCH(DropoutRow)
    (from.row(row), to.columns, KeyOf(seed, first + row), dropout, to.row(row));
  }
}

void DropoutAdd(ConstMatrix residual, ConstMatrix from, double rate, uint64_t seed, int64_t first,
                Matrix to) {
  const DropoutRate dropout(rate);
  for (int64_t row = 0; row < to.rows; ++row) {
    HWY_DYNAMIC_DISPATCH(DropoutAddRow)
    (residual.row(row), from.row(row), to.columns, KeyOf(seed, first + row), dropout, to.row(row));
  }
}

}  // namespace seq2seq
#endif  // HWY_ONCE
