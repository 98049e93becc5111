#include "seq2seq/search/shortlist_scorer.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "seq2seq/search/normalizer.h"
#include "seq2seq/search/row_ranges.h"

namespace seq2seq {

ShortlistScorer::ShortlistScorer(std::unique_ptr<Scorer> scorer, const BatchShortlist& shortlist)
    : scorer_(std::move(scorer)), shortlist_(shortlist) {}

StepScores ShortlistScorer::Step(absl::Span<const Extension> rows) {
  StepScores step = scorer_->Step(rows);
  normalizers_.assign(step.normalizers.begin(), step.normalizers.end());
  row_tokens_.assign(rows.size(), {});
  summed_columns_.assign(rows.size(), step.scores.columns);
  const auto keep = [&](size_t row, std::vector<float>& tail) {
    const auto sentence = static_cast<size_t>(rows[row].sentence);
    const std::vector<int32_t>& columns = shortlist_.columns(sentence);
    if (columns.empty()) return;
    float* const scores = step.scores.row(static_cast<int64_t>(row));
    tail.clear();
    for (const auto& [column, log_weight] : shortlist_.tail(sentence))
      tail.push_back(scores[column] + log_weight);
    // In place: columns ascend, so that none is overwritten before it is read.
    for (size_t i = 0; i < columns.size(); ++i) scores[i] = scores[columns[i]];
    std::copy(tail.begin(), tail.end(), scores + columns.size());
    const size_t summed = columns.size() + tail.size();
    normalizers_[row] = Normalizer({scores, summed});
    summed_columns_[row] = static_cast<int64_t>(summed);
    row_tokens_[row] = shortlist_.own(sentence);
  };
  ForRanges(step.scores.rows, RowGrain(step.scores.columns), [&](int64_t begin, int64_t end) {
    std::vector<float> tail;
    for (int64_t row = begin; row < end; ++row) keep(static_cast<size_t>(row), tail);
  });
  step.normalizers = normalizers_;
  step.row_tokens = row_tokens_;
  step.summed_columns = summed_columns_;
  return step;
}

}  // namespace seq2seq
