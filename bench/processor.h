// Description of the processor that a benchmark runs on, and limits of its instruction set.
#ifndef BENCH_PROCESSOR_H_
#define BENCH_PROCESSOR_H_

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/options.h"
#include "seq2seq/base/processor.h"
#include "seq2seq/kernels/instruction_set.h"
#include "seq2seq/kernels/parallel.h"

namespace seq2seq {

// The processor's name, the instruction set that the kernels use, and the number of threads.
inline std::string DescribeProcessor() {
  return absl::StrCat(ProcessorName(), ", ", EnumText(CurrentInstructionSet()), ", ",
                      ParallelThreads(), " threads");
}

// Limits the kernels to the instruction set that SEQ2SEQ_INSTRUCTION_SET names, if it is set.
// Returns false after an error message if there is none of that name.
inline bool LimitToEnvironment() {
  const char* name = std::getenv("SEQ2SEQ_INSTRUCTION_SET");
  if (name == nullptr) return true;
  const auto most = EnumFromText<InstructionSet>(name);
  if (!most) {
    absl::FPrintF(stderr, "SEQ2SEQ_INSTRUCTION_SET: unknown instruction set '%s'\n", name);
    return false;
  }
  LimitInstructionSet(*most);
  return true;
}

}  // namespace seq2seq

#endif  // BENCH_PROCESSOR_H_
