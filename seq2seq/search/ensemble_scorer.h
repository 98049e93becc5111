// Several models as one.
#ifndef SEQ2SEQ_SEARCH_ENSEMBLE_SCORER_H_
#define SEQ2SEQ_SEARCH_ENSEMBLE_SCORER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <torch/types.h>

#include "seq2seq/search/scorer.h"

namespace seq2seq {

// What of several models is averaged: probabilities, or their logs, where one model can rule out
// what the others like.
enum class EnsembleMean { kProbability, kLogProbability };

inline std::vector<std::string> EnumTexts(EnsembleMean) {
  return {"probability", "log_probability"};
}

// The mean of what its members, at least one, hold likely. They began with the same sentences and
// have the same vocabulary. Costs what they cost together and a pass over all their scores. Where
// it looked is what the first one says.
class EnsembleScorer : public Scorer {
 public:
  EnsembleScorer(std::vector<std::unique_ptr<Scorer>> members, EnsembleMean mean);

  int64_t batch() const override { return members_[0]->batch(); }
  StepScores Step(absl::Span<const Extension> rows) override;
  absl::Span<const float> Attention(size_t row) const override {
    return members_[0]->Attention(row);
  }

 private:
  std::vector<std::unique_ptr<Scorer>> members_;
  EnsembleMean mean_;
  torch::Tensor scores_;       // [row, vocab]
  torch::Tensor normalizers_;  // [row]
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_ENSEMBLE_SCORER_H_
