// Threads of the machine that the program runs on.
#ifndef SEQ2SEQ_TOOLS_MACHINE_H_
#define SEQ2SEQ_TOOLS_MACHINE_H_

#include <cstdint>

namespace seq2seq {

// Sets the number of LibTorch's intra-op threads, 0 being one per core: on small machines LibTorch
// starts with a single one. Warns on stderr of a BLAS whose own threads compete with LibTorch's.
void SetUpThreads(int64_t threads);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_MACHINE_H_
