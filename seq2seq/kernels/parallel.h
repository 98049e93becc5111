// Work for all threads.
#ifndef SEQ2SEQ_KERNELS_PARALLEL_H_
#define SEQ2SEQ_KERNELS_PARALLEL_H_

#include <cstdint>

#include "absl/functional/function_ref.h"

namespace seq2seq {

// How many threads ParallelFor uses: those of OpenMP, which are LibTorch's; 1 within a task.
int ParallelThreads();

// Runs task(0) … task(tasks - 1), as many at once as there are threads, and returns when all are
// done. What a task throws, the first of them, is thrown on; the others run all the same.
void ParallelFor(int64_t tasks, absl::FunctionRef<void(int64_t task)> run);

// Splits [0, size) into a range for each thread, none shorter than `grain` but for the last.
void ParallelRanges(int64_t size, int64_t grain,
                    absl::FunctionRef<void(int64_t begin, int64_t end)> run);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_PARALLEL_H_
