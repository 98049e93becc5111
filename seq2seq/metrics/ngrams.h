// N-gram counts of a line, for BLEU and CIDEr.
#ifndef SEQ2SEQ_METRICS_NGRAMS_H_
#define SEQ2SEQ_METRICS_NGRAMS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"

namespace seq2seq {

// A view of neighbouring tokens, which must outlive it.
using Ngram = absl::Span<const std::string>;

// N-grams of all orders in one map.
using NgramCounts = absl::flat_hash_map<Ngram, int64_t>;

// Calls visit(ngram) for every n-gram of the orders 1 to `max_order`.
template <typename Visit>
void ForEachNgram(absl::Span<const std::string> tokens, size_t max_order, Visit visit) {
  for (size_t order = 1; order <= max_order; ++order) {
    for (size_t i = 0; i + order <= tokens.size(); ++i) visit(tokens.subspan(i, order));
  }
}

// How often each n-gram of the orders 1 to `max_order` occurs.
inline NgramCounts CountNgrams(absl::Span<const std::string> tokens, size_t max_order) {
  NgramCounts counts;
  ForEachNgram(tokens, max_order, [&](Ngram ngram) { ++counts[ngram]; });
  return counts;
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_NGRAMS_H_
