#include "seq2seq/kernels/log_mean_exp.h"

#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/log_mean_exp.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

void LogMeanExpRow(absl::Span<const MemberRow> members, int64_t size, float* out) {
  const float log_members = std::log(static_cast<float>(members.size()));
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    // Not minus infinity, which cannot be subtracted.
    auto highest = hn::Set(d, std::numeric_limits<float>::lowest());
    for (const MemberRow& member : members) {
      const auto score = hn::LoadU(d, member.scores + i);
      highest = hn::Max(highest, hn::Sub(score, hn::Set(d, member.normalizer)));
    }
    auto sum = hn::Zero(d);
    for (const MemberRow& member : members) {
      const auto score = hn::LoadU(d, member.scores + i);
      const auto share = hn::Sub(hn::Sub(score, hn::Set(d, member.normalizer)), highest);
      sum = hn::Add(sum, hn::Exp(d, share));
    }
    const auto mean = hn::Sub(hn::Add(highest, hn::Log(d, sum)), hn::Set(d, log_members));
    const auto never = hn::Set(d, -std::numeric_limits<float>::infinity());
    hn::StoreU(hn::IfThenElse(hn::Eq(sum, hn::Zero(d)), never, mean), d, out + i);
  });
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(LogMeanExpRow);

void LogMeanExp(absl::Span<const MemberRow> members, int64_t size, float* out) {
  HWY_DYNAMIC_DISPATCH(LogMeanExpRow)(members, size, out);
}

}  // namespace seq2seq
#endif  // HWY_ONCE
