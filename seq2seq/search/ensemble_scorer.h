// Ensemble of models.
#ifndef SEQ2SEQ_SEARCH_ENSEMBLE_SCORER_H_
#define SEQ2SEQ_SEARCH_ENSEMBLE_SCORER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/search/scorer.h"

namespace seq2seq {

// What an ensemble averages: probabilities, or log-probabilities, with which one model can rule out
// a token that the others prefer.
enum class EnsembleMean { kProbability, kLogProbability };

inline std::vector<std::string> EnumTexts(EnsembleMean) {
  return {"probability", "log_probability"};
}

// The weighted mean prediction of its members, at least one, which were made for the same sentences
// and have the same vocabulary. Costs the sum of their costs and a pass over all their scores, of
// which the first member's are overwritten. The attention weights are those of the first member.
class EnsembleScorer : public Scorer {
 public:
  // `weights` are those of the members, positive with a sum of 1; empty for equal ones.
  EnsembleScorer(std::vector<std::unique_ptr<Scorer>> members, EnsembleMean mean,
                 std::vector<double> weights = {});

  int64_t batch() const override { return members_[0]->batch(); }
  StepScores Step(absl::Span<const Extension> rows) override;
  absl::Span<const float> Attention(size_t row) const override {
    return members_[0]->Attention(row);
  }

 private:
  std::vector<std::unique_ptr<Scorer>> members_;
  EnsembleMean mean_;
  std::vector<float> weights_;      // Times the number of members; 1 for equal ones.
  std::vector<float> normalizers_;  // [row]
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_ENSEMBLE_SCORER_H_
