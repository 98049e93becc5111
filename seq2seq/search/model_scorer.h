// A Model as search sees it.
#ifndef SEQ2SEQ_SEARCH_MODEL_SCORER_H_
#define SEQ2SEQ_SEARCH_MODEL_SCORER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "seq2seq/data/batch.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/model/compute.h"
#include "seq2seq/model/model.h"
#include "seq2seq/search/scorer.h"

namespace seq2seq {

// Encodes the sources once; each step is one of the decoder's own, in LibTorch's operations, on any
// device. Use it under torch::InferenceMode or NoGradGuard.
class ModelScorer : public Scorer {
 public:
  // `sources` as CollateSources makes them, on the device of the model, which is in eval mode and
  // computes with `precision`. `tokens` as in ScoringModel.
  ModelScorer(Model model, const Batch& sources, absl::Span<const int32_t> tokens,
              Precision precision);

  int64_t batch() const override { return batch_; }
  StepScores Step(absl::Span<const Extension> rows) override;
  absl::Span<const float> Attention(size_t row) const override;

 private:
  Model model_;
  const Compute compute_;
  int64_t batch_;
  const std::vector<int32_t> tokens_;
  std::vector<int64_t> lengths_;    // [sentence], places to look at.
  ModelImpl::Start now_;            // The memory of the sentences `live_`, the state of all rows.
  std::vector<int64_t> live_;       // Sentences.
  std::vector<int64_t> places_;     // [row], where the state has it: sentences have equally many.
  std::vector<int64_t> sentences_;  // [row]
  torch::Tensor scores_;            // [row, column], on the CPU, as are
  torch::Tensor normalizers_;       // [row] and
  torch::Tensor attention_;         // [row, source].
};

// How a model is applied: by the kernels, its weights packed in `precision`, where they know it and
// it is on the CPU; else in LibTorch's operations: on CUDA bf16 is autocast, on the CPU all is
// fp32. The model is in eval mode and is not changed while it is used.
std::shared_ptr<const ScoringModel> MakeScoringModel(Model model, torch::Device device,
                                                     Precision precision);

// Why MakeScoringModel computes such a model in fp32 although `precision` is asked for, as a line
// for the log; empty if it does not.
std::string PrecisionNote(const ModelOptions& options, torch::Device device, Precision precision);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_MODEL_SCORER_H_
