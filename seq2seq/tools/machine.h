// Threads, memory and devices of the machine that the program runs on.
#ifndef SEQ2SEQ_TOOLS_MACHINE_H_
#define SEQ2SEQ_TOOLS_MACHINE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include <torch/types.h>

namespace seq2seq {

// Sets the number of LibTorch's intra-op threads, 0 being one per core: on small machines LibTorch
// starts with a single one. Warns on stderr of a BLAS whose own threads compete with LibTorch's.
void SetUpThreads(int64_t threads);

// Default memory limit in bytes: nine tenths of what the control group, or the machine, has; 0, no
// limit, where the system does not report it.
int64_t UsableMemory();

// The device of the name cpu, cuda, cuda:1, …; auto is cuda where available, else cpu.
absl::StatusOr<torch::Device> ParseDevice(const std::string& name);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_MACHINE_H_
