// The instruction set that the kernels compute with.
#ifndef SEQ2SEQ_KERNELS_INSTRUCTION_SET_H_
#define SEQ2SEQ_KERNELS_INSTRUCTION_SET_H_

#include <string>
#include <vector>

namespace seq2seq {

// From least to most; each processor that has one has those before it, of its architecture.
enum class InstructionSet {
  kPortable,    // What every processor of the architecture has (SSE2, NEON).
  kSse4,        // SSE4.1.
  kAvx2,        // AVX2 with FMA.
  kAvx512,      // AVX-512 F, BW, DQ, VL.
  kAvx512Vnni,  // And VNNI: sums of four products of 8 bits.
  kAvx512Bf16,  // And sums of two products of bfloat16.
};

inline std::vector<std::string> EnumTexts(InstructionSet) {
  return {"portable", "sse4", "avx2", "avx512", "avx512_vnni", "avx512_bf16"};
}

// The most that the processor has and the limit allows. Costs a load.
InstructionSet CurrentInstructionSet();

// Makes the kernels use at most `most`, to see on one machine what another would compute, until the
// next call. No kernel may be running.
void LimitInstructionSet(InstructionSet most);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_INSTRUCTION_SET_H_
