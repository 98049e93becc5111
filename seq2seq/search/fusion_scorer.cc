#include "seq2seq/search/fusion_scorer.h"

#include <cstddef>
#include <utility>

#include "seq2seq/search/row_ranges.h"

namespace seq2seq {

FusionScorer::FusionScorer(std::unique_ptr<Scorer> model, std::unique_ptr<Scorer> language_model,
                           double weight)
    : model_(std::move(model)),
      language_model_(std::move(language_model)),
      weight_(static_cast<float>(weight)) {}

StepScores FusionScorer::Step(absl::Span<const Extension> rows) {
  const StepScores fused = model_->Step(rows);
  const StepScores added = language_model_->Step(rows);
  ForRanges(fused.scores.rows, RowGrain(fused.scores.columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const size_t columns = fused.row(static_cast<size_t>(row)).scores.size();
      float* __restrict scores = fused.scores.row(row);
      const float* __restrict of_language = added.scores.row(row);
      const float normalizer = added.normalizers[static_cast<size_t>(row)];
      for (size_t i = 0; i < columns; ++i) scores[i] += weight_ * (of_language[i] - normalizer);
    }
  });
  return fused;
}

}  // namespace seq2seq
