#include "seq2seq/kernels/packing.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/packing.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR
// Transposes 4 rows of 4 units.
HWY_INLINE void Transpose4(const uint32_t* HWY_RESTRICT rows, int64_t stride, uint32_t flip,
                           int64_t width, uint32_t* HWY_RESTRICT packed) {
  const hn::FixedTag<uint32_t, 4> d;
  const hn::FixedTag<uint64_t, 2> d64;
  const auto flips = hn::Set(d, flip);
  const auto row0 = hn::Xor(hn::LoadU(d, rows), flips);
  const auto row1 = hn::Xor(hn::LoadU(d, rows + stride), flips);
  const auto row2 = hn::Xor(hn::LoadU(d, rows + 2 * stride), flips);
  const auto row3 = hn::Xor(hn::LoadU(d, rows + 3 * stride), flips);
  const auto low01 = hn::BitCast(d64, hn::InterleaveLower(d, row0, row1));
  const auto high01 = hn::BitCast(d64, hn::InterleaveUpper(d, row0, row1));
  const auto low23 = hn::BitCast(d64, hn::InterleaveLower(d, row2, row3));
  const auto high23 = hn::BitCast(d64, hn::InterleaveUpper(d, row2, row3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d64, low01, low23)), d, packed);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d64, low01, low23)), d, packed + width);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d64, high01, high23)), d, packed + 2 * width);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d64, high01, high23)), d, packed + 3 * width);
}
#endif

void PackRowsOnTarget(const uint32_t* HWY_RESTRICT rows, int64_t stride, int64_t count,
                      int64_t steps, int64_t width, uint32_t flip, uint32_t* HWY_RESTRICT packed) {
  int64_t row = 0;
#if HWY_TARGET != HWY_SCALAR
  // Eight steps at a time: half a cache line of each row.
  const int64_t whole = steps / 8 * 8;
  const int64_t fours = count / 4 * 4;
  for (int64_t step = 0; step < whole; step += 8) {
    for (int64_t four = 0; four < fours; four += 4) {
      const uint32_t* from = rows + four * stride + step;
      Transpose4(from, stride, flip, width, packed + step * width + four);
      Transpose4(from + 4, stride, flip, width, packed + (step + 4) * width + four);
    }
  }
  for (; row < fours; ++row) {
    for (int64_t step = whole; step < steps; ++step) {
      packed[step * width + row] = rows[row * stride + step] ^ flip;
    }
  }
#endif
  for (; row < count; ++row) {
    for (int64_t step = 0; step < steps; ++step) {
      packed[step * width + row] = rows[row * stride + step] ^ flip;
    }
  }
  for (; row < width; ++row) {
    for (int64_t step = 0; step < steps; ++step) packed[step * width + row] = 0;
  }
}

void PackPairsOnTarget(const uint16_t* HWY_RESTRICT rows, int64_t stride, int64_t count,
                       int64_t inner, int64_t width, uint32_t* HWY_RESTRICT packed) {
  for (int64_t step = 0; step < (inner + 1) / 2; ++step, packed += width) {
    const uint16_t* HWY_RESTRICT first = rows + 2 * step * stride;
    if (2 * step + 1 < inner) {
      const uint16_t* HWY_RESTRICT second = first + stride;
      for (int64_t i = 0; i < count; ++i) {
        packed[i] = static_cast<uint32_t>(second[i]) << 16 | first[i];
      }
    } else {
      for (int64_t i = 0; i < count; ++i) packed[i] = first[i];
    }
    for (int64_t i = count; i < width; ++i) packed[i] = 0;
  }
}

// Copies kCount units of each step; as many as a tile or panel has, which the compiler moves in
// vectors.
template <int64_t kCount>
void CopySteps(const float* HWY_RESTRICT rows, int64_t stride, int64_t steps,
               uint32_t* HWY_RESTRICT packed) {
  for (int64_t step = 0; step < steps; ++step)
    std::memcpy(packed + step * kCount, rows + step * stride, kCount * sizeof(float));
}

void PackColumnsOnTarget(const float* HWY_RESTRICT rows, int64_t stride, int64_t count,
                         int64_t steps, int64_t width, uint32_t* HWY_RESTRICT packed) {
  if (count == width && count == 16) return CopySteps<16>(rows, stride, steps, packed);
  if (count == width && count == 8) return CopySteps<8>(rows, stride, steps, packed);
  for (int64_t step = 0; step < steps; ++step, packed += width) {
    std::memcpy(packed, rows + step * stride, static_cast<size_t>(count) * sizeof(float));
    std::fill_n(packed + count, width - count, 0u);
  }
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(PackRowsOnTarget);
HWY_EXPORT(PackColumnsOnTarget);
HWY_EXPORT(PackPairsOnTarget);

void PackRows(const uint32_t* rows, int64_t stride, int64_t count, int64_t steps, int64_t width,
              uint32_t flip, uint32_t* packed) {
  HWY_DYNAMIC_DISPATCH(PackRowsOnTarget)(rows, stride, count, steps, width, flip, packed);
}

void PackColumns(const float* rows, int64_t stride, int64_t count, int64_t steps, int64_t width,
                 uint32_t* packed) {
  HWY_DYNAMIC_DISPATCH(PackColumnsOnTarget)(rows, stride, count, steps, width, packed);
}

void PackPairsOfColumns(const uint16_t* rows, int64_t stride, int64_t count, int64_t inner,
                        int64_t width, uint32_t* packed) {
  HWY_DYNAMIC_DISPATCH(PackPairsOnTarget)(rows, stride, count, inner, width, packed);
}

}  // namespace seq2seq
#endif  // HWY_ONCE
