#include "seq2seq/kernels/product_kernel.h"

#include <cstring>

#include "seq2seq/kernels/instruction_set.h"
#include "seq2seq/kernels/unroll.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/product_kernel.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr int kVectorLanes = HWY_MIN(16, static_cast<int>(HWY_LANES(float)));
// Of 32 registers, or of 16, the others hold operands.
constexpr int kSumRegisters = HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64 ? 24 : 12;

using F32 = hn::FixedTag<float, kVectorLanes>;
using I32 = hn::FixedTag<int32_t, kVectorLanes>;
using U32 = hn::FixedTag<uint32_t, kVectorLanes>;

// Integer sums times the scales of their columns and their row.
HWY_INLINE hn::Vec<F32> ScaleSums(hn::Vec<I32> sums, const float* column_scales, float row_scale) {
  const F32 d;
  return hn::Mul(hn::ConvertTo(d, sums),
                 hn::Mul(hn::LoadU(d, column_scales), hn::Set(d, row_scale)));
}

namespace fp32 {

struct Lanes {
  static constexpr int kLanes = kVectorLanes;
  static constexpr int kRegisters = kSumRegisters;
  using V = hn::Vec<F32>;
  static HWY_INLINE V Start(const int32_t*) { return hn::Zero(F32()); }
  static HWY_INLINE V Load(const uint32_t* units) {
    return hn::BitCast(F32(), hn::LoadU(U32(), units));
  }
  static HWY_INLINE V Broadcast(uint32_t unit) { return hn::BitCast(F32(), hn::Set(U32(), unit)); }
  static HWY_INLINE V Add(V sum, V left, V right) { return hn::MulAdd(left, right, sum); }
  static HWY_INLINE V ToFloat(V sum, const float*, float) { return sum; }
};

#include "seq2seq/kernels/product_kernel-inl.h"

}  // namespace fp32

namespace int8 {

struct Lanes {
  static constexpr int kLanes = kVectorLanes;
  static constexpr int kRegisters = kSumRegisters - 3 * (kSumRegisters / 12);
  using Sum = hn::Vec<I32>;
  using Unit = hn::Vec<I32>;
  static HWY_INLINE Sum Start(const int32_t*) { return hn::Zero(I32()); }
  static HWY_INLINE Unit Load(const uint32_t* units) {
    return hn::BitCast(I32(), hn::LoadU(U32(), units));
  }
  static HWY_INLINE Unit Broadcast(uint32_t unit) {
    return hn::BitCast(I32(), hn::Set(U32(), unit));
  }
  // The sum of two signed 8-bit products fits into 16 bits if no factor is -128: 2 x 127 x 127. The
  // instruction needs one unsigned operand: the sign of the left one is moved to the right one.
  static HWY_INLINE Sum Add(Sum sum, Unit left, Unit right) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
    const __m512i moved = _mm512_mask_sub_epi8(right.raw, _mm512_movepi8_mask(left.raw),
                                               _mm512_setzero_si512(), right.raw);
    const __m512i pairs = _mm512_maddubs_epi16(_mm512_abs_epi8(left.raw), moved);
    return Sum{_mm512_add_epi32(sum.raw, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)))};
#elif HWY_TARGET == HWY_AVX2
    const __m256i moved = _mm256_sign_epi8(right.raw, left.raw);
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(left.raw), moved);
    return Sum{_mm256_add_epi32(sum.raw, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))};
#elif HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_SSSE3
    const __m128i moved = _mm_sign_epi8(right.raw, left.raw);
    const __m128i pairs = _mm_maddubs_epi16(_mm_abs_epi8(left.raw), moved);
    return Sum{_mm_add_epi32(sum.raw, _mm_madd_epi16(pairs, _mm_set1_epi16(1)))};
#else
    sum = hn::Add(sum, hn::Mul(hn::ShiftRight<24>(left), hn::ShiftRight<24>(right)));
    sum = hn::Add(sum, hn::Mul(Byte<8>(left), Byte<8>(right)));
    sum = hn::Add(sum, hn::Mul(Byte<16>(left), Byte<16>(right)));
    return hn::Add(sum, hn::Mul(Byte<24>(left), Byte<24>(right)));
#endif
  }
  static HWY_INLINE auto ToFloat(Sum sum, const float* column_scales, float row_scale) {
    return ScaleSums(sum, column_scales, row_scale);
  }

 private:
  // The byte with kAbove bits above it, sign-extended.
  template <int kAbove>
  static HWY_INLINE Unit Byte(Unit unit) {
    return hn::ShiftRight<24>(hn::ShiftLeft<kAbove>(unit));
  }
};

#include "seq2seq/kernels/product_kernel-inl.h"

}  // namespace int8

ProductKernel GetFp32Kernel() { return {fp32::MultiplyBlock, fp32::kMaxRows, 0}; }
ProductKernel GetInt8Kernel() { return {int8::MultiplyBlock, int8::kMaxRows, 0}; }

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

// Instructions for which not all versions of Highway have a target.
#if HWY_TARGET == HWY_AVX3
HWY_PUSH_ATTRIBUTES(HWY_TARGET_STR ",avx512vnni,avx512bf16")
namespace seq2seq::HWY_NAMESPACE {
namespace vnni {

struct Lanes {
  static constexpr int kLanes = kVectorLanes;
  static constexpr int kRegisters = kSumRegisters;
  using V = hn::Vec<I32>;
  static HWY_INLINE V Start(const int32_t* offsets) { return hn::LoadU(I32(), offsets); }
  static HWY_INLINE V Load(const uint32_t* units) {
    return hn::BitCast(I32(), hn::LoadU(U32(), units));
  }
  static HWY_INLINE V Broadcast(uint32_t unit) { return hn::BitCast(I32(), hn::Set(U32(), unit)); }
  // The left operand is unsigned, its values increased by 128, for which the offsets compensate.
  static HWY_INLINE V Add(V sum, V left, V right) {
    return V{_mm512_dpbusd_epi32(sum.raw, left.raw, right.raw)};
  }
  static HWY_INLINE auto ToFloat(V sum, const float* column_scales, float row_scale) {
    return ScaleSums(sum, column_scales, row_scale);
  }
};

#include "seq2seq/kernels/product_kernel-inl.h"

}  // namespace vnni

namespace bf16 {

struct Lanes {
  static constexpr int kLanes = kVectorLanes;
  static constexpr int kRegisters = kSumRegisters;
  using Sum = hn::Vec<F32>;
  static HWY_INLINE Sum Start(const int32_t*) { return hn::Zero(F32()); }
  static HWY_INLINE __m512i Load(const uint32_t* units) { return _mm512_loadu_si512(units); }
  static HWY_INLINE __m512i Broadcast(uint32_t unit) {
    return _mm512_set1_epi32(static_cast<int>(unit));
  }
  static HWY_INLINE Sum Add(Sum sum, __m512i left, __m512i right) {
    return Sum{_mm512_dpbf16_ps(sum.raw, (__m512bh)left, (__m512bh)right)};
  }
  static HWY_INLINE Sum ToFloat(Sum sum, const float*, float) { return sum; }
};

#include "seq2seq/kernels/product_kernel-inl.h"

}  // namespace bf16

ProductKernel GetVnniKernel() { return {vnni::MultiplyBlock, vnni::kMaxRows, 0x80808080u}; }
ProductKernel GetBf16Kernel() { return {bf16::MultiplyBlock, bf16::kMaxRows, 0}; }

}  // namespace seq2seq::HWY_NAMESPACE
HWY_POP_ATTRIBUTES
#endif  // HWY_TARGET == HWY_AVX3

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(GetFp32Kernel);
HWY_EXPORT(GetInt8Kernel);

ProductKernel Fp32Kernel() { return HWY_DYNAMIC_DISPATCH(GetFp32Kernel)(); }

ProductKernel Bf16Kernel() {
#if HWY_TARGETS & HWY_AVX3
  if (CurrentInstructionSet() >= InstructionSet::kAvx512Bf16) return N_AVX3::GetBf16Kernel();
#endif
  return {};
}

ProductKernel Int8Kernel() {
#if HWY_TARGETS & HWY_AVX3
  if (CurrentInstructionSet() >= InstructionSet::kAvx512Vnni) return N_AVX3::GetVnniKernel();
#endif
  return HWY_DYNAMIC_DISPATCH(GetInt8Kernel)();
}

}  // namespace seq2seq
#endif  // HWY_ONCE
