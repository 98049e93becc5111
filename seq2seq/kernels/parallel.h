// Parallel loops over tasks and ranges.
#ifndef SEQ2SEQ_KERNELS_PARALLEL_H_
#define SEQ2SEQ_KERNELS_PARALLEL_H_

#include <cstdint>

#include "absl/functional/function_ref.h"

namespace seq2seq {

// Number of threads that ParallelFor uses: as set, or OpenMP's of the calling thread, which
// LibTorch sets, too; 1 within a task.
int ParallelThreads();

// Sets that number for all threads of the process, those to come included; 0 is OpenMP's.
void SetParallelThreads(int threads);

// Calls run(0) … run(tasks - 1), as many at once as there are threads, and returns when all are
// done. The first exception of a task is rethrown; the other tasks run all the same.
void ParallelFor(int64_t tasks, absl::FunctionRef<void(int64_t task)> run);

// Calls run for one range of [0, size) per thread, none shorter than `grain` except the last.
void ParallelRanges(int64_t size, int64_t grain,
                    absl::FunctionRef<void(int64_t begin, int64_t end)> run);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_PARALLEL_H_
