// Scorer of an InferenceModel, on the kernels.
#ifndef SEQ2SEQ_SEARCH_INFERENCE_SCORER_H_
#define SEQ2SEQ_SEARCH_INFERENCE_SCORER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "seq2seq/inference/inference_model.h"
#include "seq2seq/search/scorer.h"

namespace seq2seq {

// Computes live rows only. The output layer is the largest part of a time step; its scores are
// returned as they are, with the normaliser of each row beside them.
class InferenceScorer : public Scorer {
 public:
  InferenceScorer(std::shared_ptr<const InferenceModel> model,
                  absl::Span<const SourceInput* const> sources, absl::Span<const int32_t> tokens);

  int64_t batch() const override { return batch_; }
  StepScores Step(absl::Span<const Extension> rows) override;
  absl::Span<const float> Attention(size_t row) const override { return decoder_->Attention(row); }

 private:
  const std::shared_ptr<const InferenceModel> model_;
  const int64_t batch_;
  const std::vector<int32_t> tokens_;
  const PackedOutput output_;
  const std::unique_ptr<StepDecoder> decoder_;
};

// `model` as a model for search.
std::shared_ptr<const ScoringModel> MakeScoringModel(std::shared_ptr<const InferenceModel> model);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_INFERENCE_SCORER_H_
