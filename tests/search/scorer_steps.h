// Comparison of scorers, time step by time step.
#ifndef TESTS_SEARCH_SCORER_STEPS_H_
#define TESTS_SEARCH_SCORER_STEPS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include <torch/torch.h>

#include "seq2seq/search/scorer.h"
#include "seq2seq/source/source.h"
#include "tests/search/first_rows.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {

// Of lengths from 1 to 9.
inline std::vector<Ids> RandomSources(size_t count) {
  std::vector<Ids> sources;
  for (size_t i = 0; i < count; ++i) {
    sources.push_back(RandomIds(1 + Mix(i) % 9, TinyOptions().source_vocab, i));
  }
  return sources;
}

// Sentences as ScoringModel::Begin takes them.
class Sources {
 public:
  explicit Sources(const std::vector<Ids>& sources) {
    for (const Ids& ids : sources) inputs_.emplace_back().ids = ids;
    for (const SourceInput& input : inputs_) pointers_.push_back(&input);
  }
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;

  operator absl::Span<const SourceInput* const>() const { return pointers_; }

 private:
  std::vector<SourceInput> inputs_;
  std::vector<const SourceInput*> pointers_;
};

// The log-probabilities of a time step, [row, vocab].
inline torch::Tensor LogProbs(Scorer& scorer, const std::vector<Extension>& rows) {
  const StepScores step = scorer.Step(rows);
  const int64_t count = step.scores.rows;
  torch::Tensor scores = torch::empty({count, step.scores.columns});
  for (int64_t r = 0; r < count; ++r) {
    scores[r].copy_(torch::from_blob(step.scores.row(r), {step.scores.columns}) -
                    step.normalizers[static_cast<size_t>(r)]);
  }
  return scores;
}

inline torch::Tensor AttentionOf(const Scorer& scorer, size_t row) {
  const absl::Span<const float> attention = scorer.Attention(row);
  return torch::tensor(std::vector<float>(attention.begin(), attention.end()));
}

}  // namespace seq2seq

#endif  // TESTS_SEARCH_SCORER_STEPS_H_
