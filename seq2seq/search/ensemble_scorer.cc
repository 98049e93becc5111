#include "seq2seq/search/ensemble_scorer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "seq2seq/kernels/log_mean_exp.h"
#include "seq2seq/search/normalizer.h"
#include "seq2seq/search/row_ranges.h"

namespace seq2seq {
namespace {

#if !SEQ2SEQ_KERNELS

// In place of a highest score of minus infinity, which cannot be subtracted.
constexpr float kLowest = std::numeric_limits<float>::lowest();

void LogMeanExp(absl::Span<const MemberRow> members, int64_t size, float* out) {
  for (int64_t i = 0; i < size; ++i) {
    float highest = kLowest;
    for (const MemberRow& member : members)
      highest = std::max(highest, member.scores[i] - member.normalizer);
    float sum = 0;
    for (const MemberRow& member : members)
      sum += std::exp(member.scores[i] - member.normalizer - highest);
    out[i] = highest + std::log(sum / static_cast<float>(members.size()));
  }
}

#endif

// out[i] = the weighted mean log-probability over the members. `out` may be the scores of a member.
void MeanLogProbability(absl::Span<const MemberRow> members, absl::Span<const float> weights,
                        int64_t size, float* out) {
  const auto count = static_cast<float>(members.size());
  for (int64_t i = 0; i < size; ++i) {
    float sum = 0;
    for (size_t m = 0; m < members.size(); ++m)
      sum += weights[m] * (members[m].scores[i] - members[m].normalizer);
    out[i] = sum / count;
  }
}

// Overwrites the row of the first member with the mean; returns its normaliser. The first `columns`
// are the row's, those up to `summed` count in the normaliser.
float Average(absl::Span<MemberRow> members, absl::Span<const float> weights, int64_t columns,
              int64_t summed, EnsembleMean mean) {
  float* const out = members[0].scores;
  float normalizer = 0;
  switch (mean) {
    case EnsembleMean::kProbability:
      // A normaliser that is less by log w makes the probability w times as large.
      for (size_t m = 0; m < members.size(); ++m) members[m].normalizer -= std::log(weights[m]);
      LogMeanExp(members, columns, out);
      break;
    case EnsembleMean::kLogProbability:
      MeanLogProbability(members, weights, summed, out);
      normalizer = Normalizer({out, static_cast<size_t>(summed)});
      break;
  }
  return normalizer;
}

}  // namespace

EnsembleScorer::EnsembleScorer(std::vector<std::unique_ptr<Scorer>> members, EnsembleMean mean,
                               std::vector<double> weights)
    : members_(std::move(members)), mean_(mean), weights_(members_.size(), 1.0F) {
  for (size_t m = 0; m < weights.size(); ++m)
    weights_[m] = static_cast<float>(weights[m] * static_cast<double>(members_.size()));
}

StepScores EnsembleScorer::Step(absl::Span<const Extension> rows) {
  if (members_.size() == 1) return members_[0]->Step(rows);
  std::vector<StepScores> steps;
  for (const auto& member : members_) steps.push_back(member->Step(rows));
  const Matrix& scores = steps[0].scores;
  normalizers_.resize(rows.size());
  ForRanges(scores.rows, RowGrain(scores.columns), [&](int64_t begin, int64_t end) {
    std::vector<MemberRow> of_row(steps.size());
    for (int64_t row = begin; row < end; ++row) {
      const auto index = static_cast<size_t>(row);
      for (size_t member = 0; member < steps.size(); ++member)
        of_row[member] = {steps[member].scores.row(row), steps[member].normalizers[index]};
      const auto columns = static_cast<int64_t>(steps[0].row(index).scores.size());
      const absl::Span<const int64_t> summed = steps[0].summed_columns;
      normalizers_[index] = Average(absl::MakeSpan(of_row), weights_, columns,
                                    summed.empty() ? columns : summed[index], mean_);
    }
  });
  return {scores, normalizers_, steps[0].tokens, steps[0].row_tokens};
}

}  // namespace seq2seq
