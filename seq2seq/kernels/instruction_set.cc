#include "seq2seq/kernels/instruction_set.h"

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "hwy/highway.h"
#include "hwy/targets.h"

namespace seq2seq {
namespace {

#if HWY_ARCH_X86
// Highway's targets are single bits, a better target of an architecture being a lower bit.
bool Has(int64_t target) { return (hwy::SupportedTargets() & (target | (target - 1))) != 0; }
#endif

InstructionSet Detect() {
#if HWY_ARCH_X86
  if (Has(HWY_AVX3)) {
    if (!__builtin_cpu_supports("avx512vnni")) return InstructionSet::kAvx512;
    if (!__builtin_cpu_supports("avx512bf16")) return InstructionSet::kAvx512Vnni;
    return InstructionSet::kAvx512Bf16;
  }
  if (Has(HWY_AVX2)) return InstructionSet::kAvx2;
  if (Has(HWY_SSE4)) return InstructionSet::kSse4;
#endif
  return InstructionSet::kPortable;
}

InstructionSet Processor() {
  static const InstructionSet processor = Detect();
  return processor;
}

std::atomic<InstructionSet>& Current() {
  static std::atomic<InstructionSet> current = Processor();
  return current;
}

}  // namespace

InstructionSet CurrentInstructionSet() { return Current().load(std::memory_order_relaxed); }

void LimitInstructionSet(InstructionSet most) {
  Current() = std::min(most, Processor());
#if HWY_ARCH_X86
  hwy::SetSupportedTargetsForTest(0);
  const int64_t all = hwy::SupportedTargets();
  // Highway's targets above the limit are the bits below that of the best allowed one.
  int64_t best = 0;
  switch (most) {
    case InstructionSet::kPortable:
      best = HWY_SSE4 << 1;
      break;
    case InstructionSet::kSse4:
      best = HWY_SSE4;
      break;
    case InstructionSet::kAvx2:
      best = HWY_AVX2;
      break;
    case InstructionSet::kAvx512:
    case InstructionSet::kAvx512Vnni:
    case InstructionSet::kAvx512Bf16:
      return;
  }
  hwy::SetSupportedTargetsForTest(all & ~(best - 1));
#endif
}

}  // namespace seq2seq
