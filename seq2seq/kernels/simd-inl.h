// What the SIMD kernels share. Included once for each instruction set, by files that include
// hwy/foreach_target.h before.
#if defined(SEQ2SEQ_KERNELS_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQ2SEQ_KERNELS_SIMD_INL_H_
#undef SEQ2SEQ_KERNELS_SIMD_INL_H_
#else
#define SEQ2SEQ_KERNELS_SIMD_INL_H_
#endif

#include <cstdint>
#include <type_traits>

#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Full = hn::ScalableTag<float>;
using One = hn::CappedTag<float, 1>;

// Calls body(tag, i) for i in [0, size), in steps of whole vectors and the rest one by one.
template <typename Body>
HWY_INLINE void ForEach(int64_t size, const Body& body) {
  const Full full;
  const auto lanes = static_cast<int64_t>(hn::Lanes(full));
  int64_t i = 0;
  for (; i + lanes <= size; i += lanes) body(full, i);
  for (; i < size; ++i) body(One(), i);
}

// 1 / (1 + e^-x), from -80 on down as at -80.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V FastSigmoid(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, hn::Exp(d, hn::Min(hn::Neg(x), hn::Set(d, 80.0f)))));
}

// To 1e-7, absolutely.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V FastTanh(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  const V two = hn::Set(d, 2.0f);
  const V square = hn::Exp(d, hn::Min(hn::Mul(two, x), hn::Set(d, 80.0f)));
  return hn::Sub(one, hn::Div(two, hn::Add(square, one)));
}

// Sum of products, over `size`.
HWY_INLINE float Dot(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, int64_t size) {
  const Full d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto sum0 = hn::Zero(d);
  auto sum1 = hn::Zero(d);
  int64_t i = 0;
  for (; i + 2 * lanes <= size; i += 2 * lanes) {
    sum0 = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sum0);
    sum1 = hn::MulAdd(hn::LoadU(d, a + i + lanes), hn::LoadU(d, b + i + lanes), sum1);
  }
  float rest = 0;
  for (; i < size; ++i) rest += a[i] * b[i];
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(sum0, sum1))) + rest;
}

// The largest of at least one value.
HWY_INLINE float Highest(const float* HWY_RESTRICT values, int64_t size) {
  const Full full;
  auto lanes = hn::Set(full, values[0]);
  float rest = values[0];
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const auto value = hn::LoadU(d, values + i);
    if constexpr (std::is_same_v<decltype(d), Full>) {
      lanes = hn::Max(lanes, value);
    } else {
      rest = HWY_MAX(rest, hn::GetLane(value));
    }
  });
  return HWY_MAX(rest, hn::GetLane(hn::MaxOfLanes(full, lanes)));
}

// The sum of e^(value - offset).
HWY_INLINE float SumOfExp(const float* HWY_RESTRICT values, int64_t size, float offset) {
  const Full full;
  auto lanes = hn::Zero(full);
  float rest = 0;
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const auto e = hn::Exp(d, hn::Sub(hn::LoadU(d, values + i), hn::Set(d, offset)));
    if constexpr (std::is_same_v<decltype(d), Full>) {
      lanes = hn::Add(lanes, e);
    } else {
      rest += hn::GetLane(e);
    }
  });
  return rest + hn::GetLane(hn::SumOfLanes(full, lanes));
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SEQ2SEQ_KERNELS_SIMD_INL_H_
