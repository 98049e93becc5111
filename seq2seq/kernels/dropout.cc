#include "seq2seq/kernels/dropout.h"

#include <cmath>

#include "seq2seq/base/random.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/dropout.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

// Drops where a hash of key and column (Wellons' lowbias32) is below `threshold`.
void DropoutRow(const float* from, int64_t size, uint32_t key, int32_t threshold, float scale,
                float* to) {
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const hn::RebindToUnsigned<decltype(d)> du;
    const hn::RebindToSigned<decltype(d)> di;
    auto hash = hn::Add(hn::Set(du, key), hn::Iota(du, static_cast<uint32_t>(i)));
    hash = hn::Xor(hash, hn::ShiftRight<16>(hash));
    hash = hn::Mul(hash, hn::Set(du, 0x7FEB352Du));
    hash = hn::Xor(hash, hn::ShiftRight<15>(hash));
    hash = hn::Mul(hash, hn::Set(du, 0x846CA68Bu));
    hash = hn::Xor(hash, hn::ShiftRight<16>(hash));
    // 31 bits: all instruction sets can compare signed integers.
    const auto draw = hn::BitCast(di, hn::ShiftRight<1>(hash));
    const auto drop = hn::RebindMask(d, hn::Lt(draw, hn::Set(di, threshold)));
    const auto value = hn::Mul(hn::LoadU(d, from + i), hn::Set(d, scale));
    hn::StoreU(hn::IfThenZeroElse(drop, value), d, to + i);
  });
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(DropoutRow);

void Dropout(ConstMatrix from, double rate, uint64_t seed, int64_t first, Matrix to) {
  const auto threshold = static_cast<int32_t>(std::llround(rate * 2147483647.0));
  const auto scale = static_cast<float>(1.0 / (1.0 - rate));
  for (int64_t row = 0; row < to.rows; ++row) {
    const auto number = static_cast<uint64_t>(first + row);
    const auto key = static_cast<uint32_t>(DeriveSeed({seed, number}));
    HWY_DYNAMIC_DISPATCH(DropoutRow)
    (from.row(row), to.columns, key, threshold, scale, to.row(row));
  }
}

}  // namespace seq2seq
#endif  // HWY_ONCE
