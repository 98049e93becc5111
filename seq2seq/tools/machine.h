// Threads of the machine that the program runs on.
#ifndef SEQ2SEQ_TOOLS_MACHINE_H_
#define SEQ2SEQ_TOOLS_MACHINE_H_

#include <cstdint>

namespace seq2seq {

// Number of physical cores, where the system lists them, else of hardware threads: hyperthreads
// share the units that matrix products need. 1 or more.
int64_t CountCores();

// Sets the number of threads of the kernels, and of LibTorch where it is linked. 0 is
// OMP_NUM_THREADS if the environment sets it, else one per core, of which `processes` on this
// machine get an equal share.
void SetUpThreads(int64_t threads, int64_t processes = 1);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TOOLS_MACHINE_H_
