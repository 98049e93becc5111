#include "seq2seq/kernels/int8.h"

#include <algorithm>
#include <cmath>

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

void ScaleRow(const int32_t* HWY_RESTRICT products, float row_scale,
              const float* HWY_RESTRICT column_scales, const float* HWY_RESTRICT bias,
              bool accumulate, int64_t size, float* HWY_RESTRICT out) {
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const hn::RebindToSigned<decltype(d)> d32;
    auto start = hn::Zero(d);
    if (bias != nullptr) start = hn::LoadU(d, bias + i);
    if (accumulate) start = hn::Add(start, hn::LoadU(d, out + i));
    const auto scale = hn::Mul(hn::LoadU(d, column_scales + i), hn::Set(d, row_scale));
    const auto product = hn::ConvertTo(d, hn::LoadU(d32, products + i));
    hn::StoreU(hn::MulAdd(product, scale, start), d, out + i);
  });
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(RoundRowToInt8);
HWY_EXPORT(ScaleRow);

namespace {

// Rows of `columns` that are worth a thread.
int64_t Grain(int64_t columns) { return 1 + 65536 / (columns + 1); }

}  // namespace

void RoundToInt8(ConstMatrix values, int8_t* rounded, float* scales) {
  ParallelRanges(values.rows, Grain(values.columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      scales[row] = HWY_DYNAMIC_DISPATCH(RoundRowToInt8)(values.row(row), values.columns,
                                                         rounded + row * values.columns);
    }
  });
}

void ScaleProducts(const int32_t* products, const float* row_scales, const float* column_scales,
                   const float* bias, bool accumulate, Matrix c) {
  ParallelRanges(c.rows, Grain(c.columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      HWY_DYNAMIC_DISPATCH(ScaleRow)
      (products + row * c.columns, row_scales[row], column_scales, bias, accumulate, c.columns,
       c.row(row));
    }
  });
}

}  // namespace seq2seq
#endif  // HWY_ONCE
