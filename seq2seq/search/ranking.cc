#include "seq2seq/search/ranking.h"

#include <algorithm>
#include <cmath>

namespace seq2seq {

double NormalizedScore(double total, int64_t length, const SearchOptions& options) {
  const auto tokens = static_cast<double>(length);
  switch (options.normalization) {
    case LengthNormalization::kNone:
      return total;
    case LengthNormalization::kAverage:
      return total / tokens;
    case LengthNormalization::kGnmt:
      return total / std::pow((5 + tokens) / 6, options.length_alpha);
    case LengthNormalization::kPower:
      return total / std::pow(tokens, options.length_alpha);
    case LengthNormalization::kReward:
      return total + options.length_reward * tokens;
  }
  return total;
}

double HighestScore(double total, int64_t shortest, int64_t longest, const SearchOptions& options) {
  // NormalizedScore is monotonic in the length.
  return std::max(NormalizedScore(total, shortest, options),
                  NormalizedScore(total, longest, options));
}

double CoverageScore(absl::Span<const float> coverage) {
  constexpr double kLeast = 1e-10;  // For positions without attention, where log is infinite.
  double score = 0;
  for (const float share : coverage) {
    score += std::log(std::clamp(static_cast<double>(share), kLeast, 1.0));
  }
  return score;
}

void Rank(std::vector<Hypothesis>& hypotheses) {
  std::stable_sort(hypotheses.begin(), hypotheses.end(),
                   [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
}

}  // namespace seq2seq
