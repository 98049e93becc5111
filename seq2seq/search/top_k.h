// The best of many scores.
#ifndef SEQ2SEQ_SEARCH_TOP_K_H_
#define SEQ2SEQ_SEARCH_TOP_K_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace seq2seq {

struct ScoredColumn {
  float score = 0;
  size_t column = 0;

  // Whether it comes before `other`: it scores higher, or as high and stands to the left.
  bool operator<(const ScoredColumn& other) const {
    return score != other.score ? score > other.score : column < other.column;
  }
};

// The `count` best scores, best first; those of minus infinity are left out. Costs about one pass
// over the scores.
std::vector<ScoredColumn> TopK(absl::Span<const float> scores, size_t count);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_TOP_K_H_
