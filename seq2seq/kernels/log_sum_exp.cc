#include "seq2seq/kernels/log_sum_exp.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/log_sum_exp.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

float LogSumExpRow(const float* HWY_RESTRICT scores, int64_t size) {
  const float highest = Highest(scores, size);
  return highest + std::log(SumOfExp(scores, size, highest));
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(LogSumExpRow);

void LogSumExp(ConstMatrix scores, float* out) {
  for (int64_t row = 0; row < scores.rows; ++row) {
    out[row] = HWY_DYNAMIC_DISPATCH(LogSumExpRow)(scores.row(row), scores.columns);
  }
}

}  // namespace seq2seq
#endif  // HWY_ONCE
