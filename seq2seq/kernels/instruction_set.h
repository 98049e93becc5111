// SIMD instruction set of the kernels.
#ifndef SEQ2SEQ_KERNELS_INSTRUCTION_SET_H_
#define SEQ2SEQ_KERNELS_INSTRUCTION_SET_H_

#include <string>
#include <vector>

namespace seq2seq {

// In ascending order; a processor with one also has those before it, of its architecture.
enum class InstructionSet {
  kPortable,    // Baseline of the architecture (SSE2, NEON).
  kSse4,        // SSE4.1.
  kAvx2,        // AVX2 with FMA.
  kAvx512,      // AVX-512 F, BW, DQ, VL.
  kAvx512Vnni,  // And VNNI: sums of four 8-bit products.
  kAvx512Bf16,  // And BF16: sums of two bfloat16 products.
};

inline std::vector<std::string> EnumTexts(InstructionSet) {
  return {"portable", "sse4", "avx2", "avx512", "avx512_vnni", "avx512_bf16"};
}

// The best instruction set that the processor has and the limit allows. Costs a load.
InstructionSet CurrentInstructionSet();

// Limits the kernels to `most` until the next call, to reproduce the results of older processors.
// No kernel may be running.
void LimitInstructionSet(InstructionSet most);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_INSTRUCTION_SET_H_
