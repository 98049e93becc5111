#include "seq2seq/search/ensemble_scorer.h"

#include <cmath>
#include <utility>

#include <torch/torch.h>

namespace seq2seq {

EnsembleScorer::EnsembleScorer(std::vector<std::unique_ptr<Scorer>> members)
    : members_(std::move(members)) {
  TORCH_CHECK(!members_.empty(), "an ensemble of none");
}

torch::Tensor EnsembleScorer::Step(const torch::Tensor& tokens) {
  std::vector<torch::Tensor> scores;
  for (const auto& member : members_) scores.push_back(member->Step(tokens));
  return LogMean(scores);
}

void EnsembleScorer::Select(const torch::Tensor& rows, const torch::Tensor& sentences) {
  for (const auto& member : members_) member->Select(rows, sentences);
}

torch::Tensor LogMean(const std::vector<torch::Tensor>& log_probabilities) {
  if (log_probabilities.size() == 1) return log_probabilities[0];
  return torch::logsumexp(torch::stack(log_probabilities), 0) -
         std::log(static_cast<double>(log_probabilities.size()));
}

}  // namespace seq2seq
