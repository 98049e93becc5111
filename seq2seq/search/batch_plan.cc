#include "seq2seq/search/batch_plan.h"

#include <algorithm>
#include <numeric>

namespace seq2seq {

std::vector<std::vector<size_t>> PlanSearchBatches(
    absl::Span<const LineShape> lines, const BatchBounds& bounds,
    absl::FunctionRef<double(const SearchShape& shape)> batch_bytes) {
  std::vector<size_t> order(lines.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return lines[a].tokens < lines[b].tokens; });
  std::vector<std::vector<size_t>> batches;
  SearchShape shape;
  shape.hypotheses = bounds.hypotheses;
  shape.attention = bounds.attention;
  for (const size_t index : order) {
    // The last sentence is the longest.
    shape.source = lines[index].tokens + 1;
    shape.sentences = batches.empty() ? 1 : static_cast<int64_t>(batches.back().size()) + 1;
    shape.steps =
        shape.sentences == 1 ? lines[index].steps : std::max(shape.steps, lines[index].steps);
    if (batches.empty() || shape.sentences > bounds.sentences ||
        shape.sentences * shape.source > bounds.tokens ||
        (bounds.bytes > 0 && batch_bytes(shape) > bounds.bytes)) {
      batches.emplace_back();
      shape.steps = lines[index].steps;
    }
    batches.back().push_back(index);
  }
  return batches;
}

}  // namespace seq2seq
