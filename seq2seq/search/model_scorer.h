// A Model as search sees it.
#ifndef SEQ2SEQ_SEARCH_MODEL_SCORER_H_
#define SEQ2SEQ_SEARCH_MODEL_SCORER_H_

#include "seq2seq/data/batch.h"
#include "seq2seq/model/model.h"
#include "seq2seq/search/scorer.h"

namespace seq2seq {

// Encodes the sources once; each step costs one step of the decoder over the live rows. Attention
// reads a source's memory for all its rows together. Use it under torch::NoGradGuard.
class ModelScorer : public Scorer {
 public:
  // `sources` as CollateSources makes them, on the device of the model, which is in eval mode.
  ModelScorer(Model model, const Batch& sources);

  int64_t batch() const override { return batch_; }
  torch::Tensor Step(const torch::Tensor& tokens) override;
  void Select(const torch::Tensor& rows, const torch::Tensor& sentences) override;

 private:
  Model model_;
  int64_t batch_;
  ModelImpl::Start now_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_MODEL_SCORER_H_
