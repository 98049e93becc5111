// A model and a language model of what it says.
#ifndef SEQ2SEQ_SEARCH_FUSION_SCORER_H_
#define SEQ2SEQ_SEARCH_FUSION_SCORER_H_

#include <cstdint>
#include <memory>

#include "absl/types/span.h"

#include "seq2seq/search/scorer.h"

namespace seq2seq {

// log p(token) of a model + `weight` x log p(token) of a language model: "shallow fusion" (Gulcehre
// et al. 2015). The sum is no log-probability; hypotheses are ranked by it. Both began with the
// same sentences and have the same vocabulary. Costs what both cost, and a pass over their scores.
// Where it looked is what the model says.
class FusionScorer : public Scorer {
 public:
  FusionScorer(std::unique_ptr<Scorer> model, std::unique_ptr<Scorer> language_model,
               double weight);

  int64_t batch() const override { return model_->batch(); }
  StepScores Step(absl::Span<const Extension> rows) override;
  absl::Span<const float> Attention(size_t row) const override { return model_->Attention(row); }

 private:
  std::unique_ptr<Scorer> model_;
  std::unique_ptr<Scorer> language_model_;
  double weight_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_FUSION_SCORER_H_
