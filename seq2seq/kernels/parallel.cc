#include "seq2seq/kernels/parallel.h"

#include <omp.h>

#include <algorithm>
#include <exception>
#include <mutex>

// The thread sanitizer does not see OpenMP's own synchronization: say it where it happens, and look
// away where the compiler hands over the arguments.
#if defined(__SANITIZE_THREAD__)
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#define SEQ2SEQ_TSAN_ACQUIRE(address) __tsan_acquire(address)
#define SEQ2SEQ_TSAN_RELEASE(address) __tsan_release(address)
#define SEQ2SEQ_NO_TSAN __attribute__((no_sanitize("thread")))
#else
#define SEQ2SEQ_TSAN_ACQUIRE(address) static_cast<void>(address)
#define SEQ2SEQ_TSAN_RELEASE(address) static_cast<void>(address)
#define SEQ2SEQ_NO_TSAN
#endif

namespace seq2seq {

int ParallelThreads() { return omp_in_parallel() ? 1 : omp_get_max_threads(); }

SEQ2SEQ_NO_TSAN void ParallelFor(int64_t tasks, absl::FunctionRef<void(int64_t task)> run) {
  const int threads = static_cast<int>(std::min<int64_t>(tasks, ParallelThreads()));
  if (threads <= 1) {
    for (int64_t task = 0; task < tasks; ++task) run(task);
    return;
  }
  static char fork;
  static char join;
  std::exception_ptr error;
  std::mutex mutex;
  SEQ2SEQ_TSAN_RELEASE(&fork);
#pragma omp parallel num_threads(threads)
  {
    SEQ2SEQ_TSAN_ACQUIRE(&fork);
    // What a task calls, such as oneDNN, is to plan for this thread alone.
    omp_set_num_threads(1);
#pragma omp for schedule(dynamic, 1)
    for (int64_t task = 0; task < tasks; ++task) {
      try {
        run(task);
      } catch (...) {  // None may leave the parallel region.
        const std::lock_guard<std::mutex> lock(mutex);
        if (!error) error = std::current_exception();
      }
    }
    SEQ2SEQ_TSAN_RELEASE(&join);
  }
  SEQ2SEQ_TSAN_ACQUIRE(&join);
  if (error) std::rethrow_exception(error);
}

void ParallelRanges(int64_t size, int64_t grain,
                    absl::FunctionRef<void(int64_t begin, int64_t end)> run) {
  const int64_t ranges =
      std::clamp<int64_t>(size / std::max<int64_t>(grain, 1), 1, ParallelThreads());
  const int64_t length = (size + ranges - 1) / ranges;
  ParallelFor(ranges, [&](int64_t range) {
    const int64_t begin = range * length;
    const int64_t end = std::min(size, begin + length);
    if (begin < end) run(begin, end);
  });
}

}  // namespace seq2seq
