#include "seq2seq/search/packed_scorer.h"

#include <algorithm>
#include <utility>

namespace seq2seq {

PackedScorer::PackedScorer(std::shared_ptr<const PackedModel> model, const Batch& sources)
    : model_(std::move(model)), sources_(model_->Encode(sources)), state_(sources_.start) {
  for (const Source& source : sources_.sources) longest_ = std::max(longest_, source.keys.rows);
}

StepScores PackedScorer::Step(absl::Span<const Extension> rows) {
  const auto count = static_cast<int64_t>(rows.size());
  rows_.clear();
  for (const Extension& row : rows) rows_.push_back({row.parent, row.sentence, row.token});
  if (attention_.view().rows < count) attention_ = Buffer(count, longest_);
  state_ = StepDecoder(model_->decoder(), state_, rows_, sources_.sources, attention_.view());
  normalizers_.resize(rows.size());
  scores_ = ScoreOutput(model_->output(), state_, absl::MakeSpan(normalizers_));
  return {scores_.view().Rows(0, count), normalizers_, {}};
}

absl::Span<const float> PackedScorer::Attention(size_t row) const {
  const auto source = static_cast<size_t>(rows_[row].source);
  return {attention_.view().row(static_cast<int64_t>(row)),
          static_cast<size_t>(sources_.sources[source].keys.rows)};
}

}  // namespace seq2seq
