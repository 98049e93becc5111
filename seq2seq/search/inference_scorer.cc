#include "seq2seq/search/inference_scorer.h"

#include <utility>

namespace seq2seq {

InferenceScorer::InferenceScorer(std::shared_ptr<const InferenceModel> model, const Batch& sources,
                                 absl::Span<const int32_t> tokens)
    : model_(std::move(model)),
      tokens_(tokens.begin(), tokens.end()),
      sources_(model_->Encode(sources)),
      output_(tokens.empty() ? model_->output() : model_->Output(tokens)),
      stepper_(model_->decoder(), output_, sources_.start, sources_.sources) {}

StepScores InferenceScorer::Step(absl::Span<const Extension> rows) {
  rows_.clear();
  for (const Extension& row : rows) rows_.push_back({row.parent, row.sentence, row.token});
  stepper_.Step(rows_);
  return {stepper_.scores(), stepper_.normalizers(), tokens_};
}

absl::Span<const float> InferenceScorer::Attention(size_t row) const {
  const auto source = static_cast<size_t>(rows_[row].source);
  return {stepper_.attention().row(static_cast<int64_t>(row)),
          static_cast<size_t>(sources_.sources[source].keys.rows)};
}

}  // namespace seq2seq
