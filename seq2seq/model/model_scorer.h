// Scorer of a Model in LibTorch operations.
#ifndef SEQ2SEQ_MODEL_MODEL_SCORER_H_
#define SEQ2SEQ_MODEL_MODEL_SCORER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "seq2seq/data/batch.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/model/model.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/search/scorer.h"

namespace seq2seq {

// Encodes the sources once; each Step is one time step of the decoder, in LibTorch operations, on
// any device.
class ModelScorer : public Scorer {
 public:
  // `sources` as made by CollateSources, on the device of the model, which is in eval mode and
  // computes with `precision`. `tokens` as in ScoringModel.
  ModelScorer(Model model, const Batch& sources, absl::Span<const int32_t> tokens,
              Precision precision);

  int64_t batch() const override { return batch_; }
  StepScores Step(absl::Span<const Extension> rows) override;
  absl::Span<const float> Attention(size_t row) const override;

 private:
  Model model_;
  const torch::Device device_;
  const Compute compute_;
  int64_t batch_;
  const std::vector<int32_t> tokens_;
  std::vector<int64_t> lengths_;               // [sentence], number of source positions.
  std::shared_ptr<const DecoderState> state_;  // Of the sentences `live_`.
  std::vector<int64_t> live_;                  // Sentences, ascending.
  std::vector<int64_t> positions_;  // [row], its row in the state, equally many per sentence.
  std::vector<int64_t> sentences_;  // [row]
  torch::Tensor scores_;            // [row, column], on the CPU.
  torch::Tensor normalizers_;       // [row], on the CPU.
  torch::Tensor copy_logits_;       // [row], on the CPU; undefined for models that do not copy.
  torch::Tensor attention_;         // [row, source], on the CPU.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_MODEL_SCORER_H_
