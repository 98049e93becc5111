// Log of mean probabilities, for ensembles.
#ifndef SEQ2SEQ_KERNELS_LOG_MEAN_EXP_H_
#define SEQ2SEQ_KERNELS_LOG_MEAN_EXP_H_

#include <cstdint>

#include "absl/types/span.h"

namespace seq2seq {

// The scores of a row by one member of an ensemble; minus `normalizer` they are log-probabilities.
struct MemberRow {
  float* scores = nullptr;  // [size]
  float normalizer = 0;
};

// out[i] = log of the mean over the members of e^(scores[i] - normalizer), [size]; minus infinity
// where all members have it. `out` may be the scores of a member. One thread.
void LogMeanExp(absl::Span<const MemberRow> members, int64_t size, float* out);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_LOG_MEAN_EXP_H_
