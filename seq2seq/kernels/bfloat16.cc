#include "seq2seq/kernels/bfloat16.h"

#include <algorithm>

#include "seq2seq/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/bfloat16.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

void RoundRow(const float* HWY_RESTRICT values, int64_t size, uint16_t* HWY_RESTRICT rounded) {
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const hn::RebindToUnsigned<decltype(d)> d32;
    const hn::Rebind<uint16_t, decltype(d)> d16;
    const auto bits = hn::BitCast(d32, hn::LoadU(d, values + i));
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d32, 1));
    const auto up = hn::Add(bits, hn::Add(odd, hn::Set(d32, 0x7FFF)));
    hn::StoreU(hn::TruncateTo(d16, hn::ShiftRight<16>(up)), d16, rounded + i);
  });
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(RoundRow);

void RoundToBfloat16(ConstMatrix values, uint16_t* rounded, int64_t stride) {
  const int64_t grain = 1 + 65536 / (values.columns + 1);
  ParallelRanges(values.rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      uint16_t* to = rounded + row * stride;
      HWY_DYNAMIC_DISPATCH(RoundRow)(values.row(row), values.columns, to);
      std::fill(to + values.columns, to + stride, uint16_t{0});
    }
  });
}

}  // namespace seq2seq
#endif  // HWY_ONCE
