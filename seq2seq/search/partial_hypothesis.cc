#include "seq2seq/search/partial_hypothesis.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "seq2seq/search/ranking.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

void PartialHypothesis::Append(int32_t token, double score, double penalty,
                               absl::FunctionRef<absl::Span<const float>()> attention) {
  const double log_probability = score / penalty;
  total_ += score;
  hypothesis_.token_scores.push_back(log_probability);
  hypothesis_.log_probability += log_probability;
  if (token != kEosId) hypothesis_.tokens.push_back(token);
  if (!task_->attention && options_->coverage_penalty == 0) return;
  const absl::Span<const float> weights = attention();
  if (task_->attention) {
    hypothesis_.attention.push_back(
        std::make_shared<const std::vector<float>>(weights.begin(), weights.end()));
  }
  if (options_->coverage_penalty > 0) {
    coverage_.resize(weights.size());
    for (size_t i = 0; i < weights.size(); ++i) coverage_[i] += weights[i];
  }
}

Hypothesis PartialHypothesis::Finish() && {
  hypothesis_.score =
      NormalizedScore(total_, static_cast<int64_t>(hypothesis_.token_scores.size()), *options_);
  if (options_->coverage_penalty > 0)
    hypothesis_.score += options_->coverage_penalty * CoverageScore(coverage_);
  return std::move(hypothesis_);
}

}  // namespace seq2seq
