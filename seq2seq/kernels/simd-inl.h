// Vector loops, activations and sums for the SIMD kernels. Included once for each instruction set,
// by files that include hwy/foreach_target.h before.
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

// 1 / (1 + e^-x), with x clamped to -80 or more.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V FastSigmoid(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, hn::Exp(d, hn::Min(hn::Neg(x), hn::Set(d, 80.0f)))));
}

// tanh(x), with an absolute error of 1e-7.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V FastTanh(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  const V two = hn::Set(d, 2.0f);
  const V square = hn::Exp(d, hn::Min(hn::Mul(two, x), hn::Set(d, 80.0f)));
  return hn::Sub(one, hn::Div(two, hn::Add(square, one)));
}

// Sums in 32 lanes, whatever the width of the vectors, so that they do not depend on it.
class LaneSums {
 public:
  static constexpr int64_t kLanes = 32;

  LaneSums() {
    for (auto& sum : sums_) sum = hn::Zero(D());
  }

  // Adds next(tag, i, sum) to the sum of lane i % 32 for i in [0, size); `size` a multiple of 32.
  template <typename Next>
  HWY_INLINE void Add(int64_t size, const Next& next) {
    constexpr auto kStep = static_cast<int64_t>(kWidth);
    for (int64_t i = 0; i < size; i += kLanes) {
      for (size_t v = 0; v < kVectors; ++v) {
        sums_[v] = next(D(), i + static_cast<int64_t>(v) * kStep, sums_[v]);
      }
    }
  }

  // The sum of all lanes, by halves: lane i and 16 + i, then i and 8 + i, and so on.
  HWY_INLINE float Total() const {
    hn::Vec<D> sums[kVectors];
    for (size_t v = 0; v < kVectors; ++v) sums[v] = sums_[v];
    for (size_t count = kVectors / 2; count > 0; count /= 2) {
      for (size_t v = 0; v < count; ++v) sums[v] = hn::Add(sums[v], sums[v + count]);
    }
    return Halve(D(), sums[0]);
  }

 private:
  static constexpr size_t kWidth = HWY_MIN(16, HWY_LANES(float));
  static constexpr size_t kVectors = kLanes / kWidth;
  using D = hn::FixedTag<float, kWidth>;

  template <class Tag, class V>
  static HWY_INLINE float Halve(Tag d, V sum) {
#if HWY_CAP_GE256
    if constexpr (hn::MaxLanes(d) > 4) {
      const hn::Half<Tag> half;
      return Halve(half, hn::Add(hn::LowerHalf(half, sum), hn::UpperHalf(half, sum)));
    }
#endif
    return hn::GetLane(hn::SumOfLanes(d, sum));
  }

  hn::Vec<D> sums_[kVectors];
};

// Dot product of `size` values.
HWY_INLINE float Dot(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, int64_t size) {
  const int64_t whole = size / LaneSums::kLanes * LaneSums::kLanes;
  LaneSums sums;
  sums.Add(whole, [&](auto d, int64_t i, auto sum) HWY_ATTR {
    return hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sum);
  });
  float rest = 0;
  for (int64_t i = whole; i < size; ++i) rest += a[i] * b[i];
  return sums.Total() + rest;
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
  const int64_t whole = size / LaneSums::kLanes * LaneSums::kLanes;
  LaneSums sums;
  sums.Add(whole, [&](auto d, int64_t i, auto sum) HWY_ATTR {
    return hn::Add(sum, hn::Exp(d, hn::Sub(hn::LoadU(d, values + i), hn::Set(d, offset))));
  });
  float rest = 0;
  for (int64_t i = whole; i < size; ++i) {
    rest += hn::GetLane(hn::Exp(One(), hn::Set(One(), values[i] - offset)));
  }
  return rest + sums.Total();
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SEQ2SEQ_KERNELS_SIMD_INL_H_
