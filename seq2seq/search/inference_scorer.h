// Scorer of a InferenceModel, on the kernels.
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
  InferenceScorer(std::shared_ptr<const InferenceModel> model, const Batch& sources,
                  absl::Span<const int32_t> tokens);

  int64_t batch() const override { return static_cast<int64_t>(sources_.sources.size()); }
  StepScores Step(absl::Span<const Extension> rows) override;
  absl::Span<const float> Attention(size_t row) const override;

 private:
  std::shared_ptr<const InferenceModel> model_;
  std::vector<int32_t> tokens_;
  EncodedSources sources_;
  PackedOutput output_;
  DecoderStepper stepper_;
  std::vector<DecoderExtension> rows_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_INFERENCE_SCORER_H_
