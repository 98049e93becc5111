// Several models as one.
#ifndef SEQ2SEQ_SEARCH_ENSEMBLE_SCORER_H_
#define SEQ2SEQ_SEARCH_ENSEMBLE_SCORER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include <torch/types.h>

#include "seq2seq/search/scorer.h"

namespace seq2seq {

// The log of the mean of what its members, at least one, hold likely. They began with the same
// sentences and have the same vocabulary. Costs what they cost together.
class EnsembleScorer : public Scorer {
 public:
  explicit EnsembleScorer(std::vector<std::unique_ptr<Scorer>> members);

  int64_t batch() const override { return members_[0]->batch(); }
  torch::Tensor Step(const torch::Tensor& tokens) override;
  void Select(const torch::Tensor& rows, const torch::Tensor& sentences) override;

 private:
  std::vector<std::unique_ptr<Scorer>> members_;
};

// The log of the mean of probabilities given by their logs, of one shape, at least one.
torch::Tensor LogMean(const std::vector<torch::Tensor>& log_probabilities);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_ENSEMBLE_SCORER_H_
