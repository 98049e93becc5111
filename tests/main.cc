// Runs the tests, with the kernels limited to the instruction set that SEQ2SEQ_INSTRUCTION_SET
// names, to see on one machine what another computes.
#include <cstdlib>
#include <iostream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#if SEQ2SEQ_KERNELS
#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/options.h"
#include "seq2seq/kernels/instruction_set.h"
#endif

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
#if SEQ2SEQ_KERNELS
  if (const char* name = std::getenv("SEQ2SEQ_INSTRUCTION_SET")) {
    constexpr int kSkipped = 77;  // ctest's SKIP_RETURN_CODE.
    const auto most = seq2seq::EnumFromText<seq2seq::InstructionSet>(name);
    if (!most) {
      std::cerr << "SEQ2SEQ_INSTRUCTION_SET: there is no '" << name << "'\n";
      return 1;
    }
    if (seq2seq::CurrentInstructionSet() <= *most) {
      std::cout << "skipped: this processor has no more than " << name << "\n";
      return kSkipped;
    }
    seq2seq::LimitInstructionSet(*most);
  }
#endif
  return RUN_ALL_TESTS();
}
