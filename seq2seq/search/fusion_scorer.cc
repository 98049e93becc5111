#include "seq2seq/search/fusion_scorer.h"

#include <utility>

#include <torch/torch.h>

namespace seq2seq {

FusionScorer::FusionScorer(std::unique_ptr<Scorer> model, std::unique_ptr<Scorer> language_model,
                           double weight)
    : model_(std::move(model)), language_model_(std::move(language_model)), weight_(weight) {}

StepScores FusionScorer::Step(absl::Span<const Extension> rows) {
  const StepScores fused = model_->Step(rows);
  const Matrix& scores = fused.scores;
  torch::from_blob(scores.data, {scores.rows, scores.columns}, {scores.stride, 1})
      .add_(LogProbabilities(language_model_->Step(rows)), weight_);
  return fused;
}

}  // namespace seq2seq
