#include "seq2seq/kernels/adam.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/adam.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

void AdamRange(const AdamUpdate& update, const float* HWY_RESTRICT gradient, int64_t size,
               float* HWY_RESTRICT weight, float* HWY_RESTRICT mean, float* HWY_RESTRICT square) {
  const float inverse_correction = 1.0f / update.square_correction;
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    auto g = hn::Zero(d);
    if (gradient != nullptr) {
      g = hn::Mul(hn::LoadU(d, gradient + i), hn::Set(d, update.gradient_scale));
    }
    const auto old_mean = hn::LoadU(d, mean + i);
    const auto m = hn::MulAdd(hn::Set(d, 1 - update.beta1), hn::Sub(g, old_mean), old_mean);
    const auto s = hn::MulAdd(hn::Mul(hn::Set(d, 1 - update.beta2), g), g,
                              hn::Mul(hn::Set(d, update.beta2), hn::LoadU(d, square + i)));
    const auto root = hn::Sqrt(hn::Mul(s, hn::Set(d, inverse_correction)));
    const auto change = hn::Div(m, hn::Add(root, hn::Set(d, update.epsilon)));
    const auto old = hn::LoadU(d, weight + i);
    const auto shrunk = hn::NegMulAdd(hn::Set(d, update.decay), old, old);
    hn::StoreU(hn::NegMulAdd(hn::Set(d, update.rate), change, shrunk), d, weight + i);
    hn::StoreU(m, d, mean + i);
    hn::StoreU(s, d, square + i);
  });
}

double SquaresOfRange(const float* HWY_RESTRICT values, int64_t size) {
  // Blocks short enough for sums in single precision.
  constexpr int64_t kBlock = 4096;
  double sum = 0;
  for (int64_t begin = 0; begin < size; begin += kBlock) {
    const int64_t count = std::min(kBlock, size - begin);
    sum += static_cast<double>(Dot(values + begin, values + begin, count));
  }
  return sum;
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(AdamRange);
HWY_EXPORT(SquaresOfRange);

void AdamStep(const AdamUpdate& update, const float* gradient, int64_t size, float* weight,
              float* mean, float* square) {
  HWY_DYNAMIC_DISPATCH(AdamRange)(update, gradient, size, weight, mean, square);
}

double SumOfSquares(const float* values, int64_t size) {
  return HWY_DYNAMIC_DISPATCH(SquaresOfRange)(values, size);
}

}  // namespace seq2seq
#endif  // HWY_ONCE
