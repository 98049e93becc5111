#include "seq2seq/search/copy_scorer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/algorithm/container.h"

#include "seq2seq/search/row_ranges.h"
#include "seq2seq/source/source.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

// Rows that are worth a thread.
constexpr int64_t kGrain = 32;

// log(e^a + e^b). `a` may be minus infinity.
float LogAdd(float a, float b) {
  const float larger = std::max(a, b);
  return larger + std::log1p(std::exp(std::min(a, b) - larger));
}

}  // namespace

CopyScorer::CopyScorer(std::unique_ptr<Scorer> scorer, absl::Span<const SourceInput* const> sources)
    : scorer_(std::move(scorer)) {
  for (const SourceInput* source : sources) {
    std::vector<int32_t> ids = source->ids;
    ids.push_back(kEosId);
    SourceTokens& found = sources_.emplace_back();
    found.tokens = ids;
    absl::c_sort(found.tokens);
    found.tokens.erase(std::unique(found.tokens.begin(), found.tokens.end()), found.tokens.end());
    for (const int32_t id : ids) {
      const auto place = absl::c_lower_bound(found.tokens, id);
      found.places.push_back(static_cast<size_t>(place - found.tokens.begin()));
    }
  }
}

StepScores CopyScorer::Step(absl::Span<const Extension> rows) {
  StepScores step = scorer_->Step(rows);
  normalizers_.assign(step.normalizers.begin(), step.normalizers.end());
  const auto add = [&](size_t row, std::vector<float>& copied) {
    const SourceTokens& source = sources_[static_cast<size_t>(rows[row].sentence)];
    const absl::Span<const float> attention = scorer_->Attention(row);
    copied.assign(source.tokens.size(), 0);
    for (size_t i = 0; i < source.places.size(); ++i) copied[source.places[i]] += attention[i];
    // Relative to the normaliser, the odds of copying times the attention is added.
    const float log_odds = step.copy_logits[row];
    const ScoreRow scores = step.row(row);
    for (size_t place = 0; place < copied.size(); ++place) {
      float* const score = scores.Find(source.tokens[place]);
      if (score != nullptr && copied[place] > 0)
        *score = LogAdd(*score, scores.normalizer + log_odds + std::log(copied[place]));
    }
    normalizers_[row] += LogAdd(0, log_odds);
  };
  ForRanges(step.scores.rows, kGrain, [&](int64_t begin, int64_t end) {
    std::vector<float> copied;  // Attention, by place.
    for (int64_t row = begin; row < end; ++row) add(static_cast<size_t>(row), copied);
  });
  step.normalizers = normalizers_;
  step.copy_logits = {};
  return step;
}

}  // namespace seq2seq
