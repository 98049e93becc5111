// Parallel loop over ranges of rows or sentences.
#ifndef SEQ2SEQ_SEARCH_ROW_RANGES_H_
#define SEQ2SEQ_SEARCH_ROW_RANGES_H_

#include <algorithm>
#include <cstdint>

#include "absl/functional/function_ref.h"

#if SEQ2SEQ_KERNELS
#include "seq2seq/kernels/parallel.h"
#endif

namespace seq2seq {

// Calls `run` for ranges of [0, size) of at least `grain`, on the threads of the kernels; in a
// build without these, once.
inline void ForRanges(int64_t size, int64_t grain,
                      absl::FunctionRef<void(int64_t begin, int64_t end)> run) {
#if SEQ2SEQ_KERNELS
  ParallelRanges(size, grain, run);
#else
  run(0, size);
#endif
}

// The number of rows of `columns` scores whose combination is worth a thread.
inline int64_t RowGrain(int64_t columns) {
  constexpr int64_t kScores = 1 << 14;
  return kScores / std::max<int64_t>(columns, 1) + 1;
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_ROW_RANGES_H_
