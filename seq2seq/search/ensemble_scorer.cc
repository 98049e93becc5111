#include "seq2seq/search/ensemble_scorer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "seq2seq/search/row_ranges.h"

namespace seq2seq {
namespace {

// In place of a highest score of minus infinity, which cannot be subtracted.
constexpr float kLowest = std::numeric_limits<float>::lowest();

// Columns that are combined at once, so that what is computed of them stays in the cache.
constexpr int64_t kBlock = 256;
using Block = std::array<float, kBlock>;

// The scores of a row by one member. Its log-probabilities are `scores` - `normalizer`.
struct MemberRow {
  float* scores = nullptr;
  float normalizer = 0;
};

// Log of the sum of e^score.
float LogSumExp(const float* scores, int64_t size) {
  float highest = kLowest;
  for (int64_t i = 0; i < size; ++i) highest = std::max(highest, scores[i]);
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += static_cast<double>(std::exp(scores[i] - highest));
  return highest + static_cast<float>(std::log(sum));
}

// Sets out[i] to the log of the mean probability of column begin + i: log-sum-exp over the members
// minus the log of their number.
void AverageProbabilities(absl::Span<const MemberRow> members, int64_t begin, int64_t count,
                          float* out) {
  Block highest;
  Block sum;
  highest.fill(kLowest);
  sum.fill(0);
  for (const auto& [scores, normalizer] : members) {
    for (int64_t i = 0; i < count; ++i) {
      float& most = highest[static_cast<size_t>(i)];
      most = std::max(most, scores[begin + i] - normalizer);
    }
  }
  for (const auto& [scores, normalizer] : members) {
    for (int64_t i = 0; i < count; ++i) {
      const auto column = static_cast<size_t>(i);
      sum[column] += std::exp(scores[begin + i] - normalizer - highest[column]);
    }
  }
  const float log_members = std::log(static_cast<float>(members.size()));
  for (int64_t i = 0; i < count; ++i) {
    const auto column = static_cast<size_t>(i);
    out[i] = highest[column] + std::log(sum[column]) - log_members;
  }
}

// Sets out[i] to the mean log-probability of column begin + i.
void AverageLogProbabilities(absl::Span<const MemberRow> members, int64_t begin, int64_t count,
                             float* out) {
  Block sum;
  sum.fill(0);
  for (const auto& [scores, normalizer] : members) {
    for (int64_t i = 0; i < count; ++i)
      sum[static_cast<size_t>(i)] += scores[begin + i] - normalizer;
  }
  const auto size = static_cast<float>(members.size());
  for (int64_t i = 0; i < count; ++i) out[i] = sum[static_cast<size_t>(i)] / size;
}

// Overwrites the row of the first member with the mean; returns its normaliser.
float Average(absl::Span<const MemberRow> members, int64_t columns, EnsembleMean mean) {
  float* const out = members[0].scores;
  for (int64_t begin = 0; begin < columns; begin += kBlock) {
    const int64_t count = std::min(kBlock, columns - begin);
    switch (mean) {
      case EnsembleMean::kProbability:
        AverageProbabilities(members, begin, count, out + begin);
        break;
      case EnsembleMean::kLogProbability:
        AverageLogProbabilities(members, begin, count, out + begin);
        break;
    }
  }
  return mean == EnsembleMean::kProbability ? 0 : LogSumExp(out, columns);
}

}  // namespace

EnsembleScorer::EnsembleScorer(std::vector<std::unique_ptr<Scorer>> members, EnsembleMean mean)
    : members_(std::move(members)), mean_(mean) {}

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
      normalizers_[index] = Average(of_row, scores.columns, mean_);
    }
  });
  return {scores, normalizers_, steps[0].tokens};
}

}  // namespace seq2seq
