// Mask of dropout for the SIMD kernels. Included as simd-inl.h is.
#if defined(SEQ2SEQ_KERNELS_DROPOUT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQ2SEQ_KERNELS_DROPOUT_INL_H_
#undef SEQ2SEQ_KERNELS_DROPOUT_INL_H_
#else
#define SEQ2SEQ_KERNELS_DROPOUT_INL_H_
#endif

#include <cstdint>

#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

// Which of the columns from `column` on are dropped: where a hash of key and column (Wellons'
// lowbias32) is below `threshold`.
template <class D>
HWY_INLINE hn::Mask<D> Dropped(D d, uint32_t key, int64_t column, int32_t threshold) {
  const hn::RebindToUnsigned<D> du;
  const hn::RebindToSigned<D> di;
  auto hash = hn::Add(hn::Set(du, key), hn::Iota(du, static_cast<uint32_t>(column)));
  hash = hn::Xor(hash, hn::ShiftRight<16>(hash));
  hash = hn::Mul(hash, hn::Set(du, 0x7FEB352Du));
  hash = hn::Xor(hash, hn::ShiftRight<15>(hash));
  hash = hn::Mul(hash, hn::Set(du, 0x846CA68Bu));
  hash = hn::Xor(hash, hn::ShiftRight<16>(hash));
  // 31 bits: all instruction sets can compare signed integers.
  const auto draw = hn::BitCast(di, hn::ShiftRight<1>(hash));
  return hn::RebindMask(d, hn::Lt(draw, hn::Set(di, threshold)));
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SEQ2SEQ_KERNELS_DROPOUT_INL_H_
