// Normaliser of a row of scores.
#ifndef SEQ2SEQ_SEARCH_NORMALIZER_H_
#define SEQ2SEQ_SEARCH_NORMALIZER_H_

#include "absl/types/span.h"

namespace seq2seq {

// Log of the sum of e^score: score - normaliser is a log-probability. By the kernels where they are
// built in.
float Normalizer(absl::Span<const float> scores);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_NORMALIZER_H_
