#include "seq2seq/search/inference_scorer.h"

#include <utility>

#include "seq2seq/search/search_memory.h"

namespace seq2seq {
namespace {

class InferenceScoringModel : public ScoringModel {
 public:
  explicit InferenceScoringModel(std::shared_ptr<const InferenceModel> model)
      : model_(std::move(model)) {}

  bool has_attention() const override { return HasAttention(model_->options()); }

  double weight_bytes() const override { return model_->bytes(); }

  double BatchBytes(const SearchShape& shape) const override {
    return SearchBytes(model_->options(), shape, /*packed=*/true);
  }

  bool copies() const override { return model_->options().decoder.copy; }

 private:
  std::unique_ptr<Scorer> BeginTokens(absl::Span<const SourceInput* const> sources,
                                      absl::Span<const int32_t> tokens) const override {
    return std::make_unique<InferenceScorer>(model_, sources, tokens);
  }

  const std::shared_ptr<const InferenceModel> model_;
};

}  // namespace

InferenceScorer::InferenceScorer(std::shared_ptr<const InferenceModel> model,
                                 absl::Span<const SourceInput* const> sources,
                                 absl::Span<const int32_t> tokens)
    : model_(std::move(model)),
      batch_(static_cast<int64_t>(sources.size())),
      tokens_(tokens.begin(), tokens.end()),
      output_(tokens.empty() ? model_->output() : model_->Output(tokens)),
      decoder_(model_->decoder().Begin(model_->encoder().Encode(sources), output_)) {}

StepScores InferenceScorer::Step(absl::Span<const Extension> rows) {
  decoder_->Step(rows);
  StepScores step = {decoder_->scores(), decoder_->normalizers(), tokens_};
  step.copy_logits = decoder_->copy_logits();
  return step;
}

std::shared_ptr<const ScoringModel> MakeScoringModel(std::shared_ptr<const InferenceModel> model) {
  return std::make_shared<const InferenceScoringModel>(std::move(model));
}

}  // namespace seq2seq
