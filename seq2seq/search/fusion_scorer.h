// Shallow fusion with a language model (Gulcehre et al. 2015).
#ifndef SEQ2SEQ_SEARCH_FUSION_SCORER_H_
#define SEQ2SEQ_SEARCH_FUSION_SCORER_H_

#include <cstdint>
#include <memory>

#include "absl/types/span.h"

#include "seq2seq/search/scorer.h"

namespace seq2seq {

// log p(token) of a model + `weight` x log p(token) of a language model. The sum is not normalised;
// hypotheses are ranked by it. Both were made for the same sentences and have the same vocabulary.
// Costs the sum of their costs and a pass over their scores. Attention weights are the model's.
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
  float weight_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_FUSION_SCORER_H_
