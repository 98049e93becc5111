// Batches of sentences of similar length for search.
#ifndef SEQ2SEQ_SEARCH_BATCH_PLAN_H_
#define SEQ2SEQ_SEARCH_BATCH_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"

#include "seq2seq/search/search_memory.h"

namespace seq2seq {

// The size of a line that is searched.
struct LineShape {
  int64_t tokens = 0;  // Of its source or prefix.
  int64_t steps = 0;   // Time steps, at most.
};

// Bounds of a batch, each of at least one sentence.
struct BatchBounds {
  int64_t sentences = 1;
  int64_t tokens = 1;      // Of the sources or prefixes, with their ends and padding.
  int64_t hypotheses = 1;  // Per sentence.
  bool attention = false;  // Whether attention weights are kept.
  double bytes = 0;        // Estimated, of a batch; 0 is no bound.
};

// The indices of `lines`, shortest first, in batches. A pure function.
std::vector<std::vector<size_t>> PlanSearchBatches(
    absl::Span<const LineShape> lines, const BatchBounds& bounds,
    absl::FunctionRef<double(const SearchShape& shape)> batch_bytes);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_BATCH_PLAN_H_
