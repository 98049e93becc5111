// Selection of the k highest scores.
#ifndef SEQ2SEQ_SEARCH_TOP_K_H_
#define SEQ2SEQ_SEARCH_TOP_K_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace seq2seq {

struct ScoredColumn {
  float score = 0;
  size_t column = 0;

  // Orders by score, highest first, and equal scores by column.
  bool operator<(const ScoredColumn& other) const {
    return score != other.score ? score > other.score : column < other.column;
  }
};

// The `count` highest scores, highest first; those of minus infinity are left out. Costs about one
// pass over the scores.
std::vector<ScoredColumn> TopK(absl::Span<const float> scores, size_t count);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_TOP_K_H_
