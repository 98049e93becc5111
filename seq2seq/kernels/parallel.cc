#include "seq2seq/kernels/parallel.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

#if defined(__SANITIZE_THREAD__)
#include <thread>
#include <vector>
#endif

namespace seq2seq {
namespace {

std::atomic<int> set_threads = 0;
thread_local bool in_task = false;

// Runs `run` on `threads` threads at once.
void RunOnThreads(int threads, absl::FunctionRef<void()> run) {
#if defined(__SANITIZE_THREAD__)  // TSan does not model OpenMP's barriers.
  std::vector<std::thread> team;
  for (int i = 0; i < threads; ++i) team.emplace_back(run);
  for (std::thread& thread : team) thread.join();
#else
#pragma omp parallel num_threads(threads)
  run();
#endif
}

}  // namespace

int ParallelThreads() {
  if (in_task || omp_in_parallel()) return 1;
  const int set = set_threads.load(std::memory_order_relaxed);
  return set > 0 ? set : omp_get_max_threads();
}

void SetParallelThreads(int threads) { set_threads.store(threads, std::memory_order_relaxed); }

void ParallelFor(int64_t tasks, absl::FunctionRef<void(int64_t task)> run) {
  const int threads = static_cast<int>(std::min<int64_t>(tasks, ParallelThreads()));
  if (threads <= 1) {
    for (int64_t task = 0; task < tasks; ++task) run(task);
    return;
  }
  std::atomic<int64_t> next = 0;
  std::exception_ptr error;
  std::mutex mutex;
  RunOnThreads(threads, [&] {
    // Code called by a task uses this thread alone; that of LibTorch, too.
    omp_set_num_threads(1);
    in_task = true;
    for (int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) {
      try {
        run(task);
      } catch (...) {  // No exception may leave the thread.
        const std::lock_guard<std::mutex> lock(mutex);
        if (!error) error = std::current_exception();
      }
    }
    in_task = false;
  });
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
