#include "seq2seq/kernels/int8.h"

#include <algorithm>

#include "seq2seq/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/int8.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

float RoundRowToInt8(const float* HWY_RESTRICT values, int64_t size, int8_t* HWY_RESTRICT rounded) {
  const Full full;
  auto largest_lanes = hn::Zero(full);
  float largest = 0;
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const auto value = hn::Abs(hn::LoadU(d, values + i));
    if constexpr (std::is_same_v<decltype(d), Full>) {
      largest_lanes = hn::Max(largest_lanes, value);
    } else {
      largest = std::max(largest, hn::GetLane(value));
    }
  });
  largest = std::max(largest, hn::GetLane(hn::MaxOfLanes(full, largest_lanes)));
  const float scale = largest > 0 ? largest / 127 : 1;
  const float inverse = 1 / scale;
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const hn::Rebind<int8_t, decltype(d)> d8;
    const auto whole = hn::NearestInt(hn::Mul(hn::LoadU(d, values + i), hn::Set(d, inverse)));
    hn::StoreU(hn::DemoteTo(d8, whole), d8, rounded + i);
  });
  return scale;
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(RoundRowToInt8);

void RoundToInt8(ConstMatrix values, int8_t* rounded, int64_t stride, float* scales) {
  const int64_t grain = 1 + 65536 / (values.columns + 1);
  ParallelRanges(values.rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      int8_t* to = rounded + row * stride;
      scales[row] = HWY_DYNAMIC_DISPATCH(RoundRowToInt8)(values.row(row), values.columns, to);
      std::fill(to + values.columns, to + stride, int8_t{0});
    }
  });
}

}  // namespace seq2seq
#endif  // HWY_ONCE
