#include "seq2seq/search/normalizer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#if SEQ2SEQ_KERNELS
#include "seq2seq/kernels/log_sum_exp.h"
#endif

namespace seq2seq {

float Normalizer(absl::Span<const float> scores) {
#if SEQ2SEQ_KERNELS
  const auto columns = static_cast<int64_t>(scores.size());
  float normalizer = 0;
  LogSumExp({scores.data(), 1, columns, columns}, &normalizer);
  return normalizer;
#else
  // A highest score of minus infinity cannot be subtracted.
  const float highest = std::max(std::numeric_limits<float>::lowest(),
                                 *std::max_element(scores.begin(), scores.end()));
  double sum = 0;
  for (const float score : scores) sum += static_cast<double>(std::exp(score - highest));
  return highest + static_cast<float>(std::log(sum));
#endif
}

}  // namespace seq2seq
