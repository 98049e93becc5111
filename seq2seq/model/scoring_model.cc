#include "seq2seq/model/scoring_model.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/data/batch.h"
#include "seq2seq/model/model_scorer.h"
#include "seq2seq/model/parameters.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/search/search_memory.h"

#if SEQ2SEQ_KERNELS
#include "seq2seq/inference/inference_model.h"
#include "seq2seq/search/inference_scorer.h"
#endif

namespace seq2seq {
namespace {

class ModuleScoringModel : public ScoringModel {
 public:
  ModuleScoringModel(Model model, torch::Device device, Precision precision, std::string note)
      : model_(std::move(model)), device_(device), precision_(precision), note_(std::move(note)) {}

  bool has_attention() const override { return HasAttention(model_->options()); }

  double weight_bytes() const override {
    double bytes = 0;
    for (const auto& [name, parameter] : Parameters(*model_))
      bytes += static_cast<double>(parameter.nbytes());
    return bytes;
  }

  double BatchBytes(const SearchShape& shape) const override {
    return SearchBytes(model_->options(), shape, /*packed=*/false);
  }

  std::string note() const override { return note_; }

  bool copies() const override { return model_->options().decoder.copy; }

 private:
  std::unique_ptr<Scorer> BeginTokens(absl::Span<const SourceInput* const> sources,
                                      absl::Span<const int32_t> tokens) const override {
    return std::make_unique<ModelScorer>(model_, CollateSources(sources).To(device_), tokens,
                                         precision_);
  }

  const Model model_;
  const torch::Device device_;
  const Precision precision_;
  const std::string note_;
};

#if SEQ2SEQ_KERNELS
// The inference form of `model`, which shares the model's tensors as far as they are not packed.
std::shared_ptr<const InferenceModel> MakeInferenceModel(Model model, Precision precision) {
  const ModelOptions options = model->options();
  ArrayMap parameters = ToArrays(Parameters(*model));
  model = Model(nullptr);  // So that its weights are released as they are packed.
  auto arrays = TakeArrays(options, std::move(parameters), "the model");
  TORCH_CHECK(arrays.ok(), std::string(arrays.status().message()));
  return std::make_shared<const InferenceModel>(options, *std::move(arrays), precision);
}
#endif

}  // namespace

std::shared_ptr<const ScoringModel> MakeScoringModel(Model model, torch::Device device,
                                                     Precision precision) {
  std::string note;
  if (device.is_cpu()) {
    std::string reason = "without the kernels";
#if SEQ2SEQ_KERNELS
    if (CurrentCompute().fused) {
      const std::string part = UnsupportedPart(model->options());
      if (part.empty()) return MakeScoringModel(MakeInferenceModel(std::move(model), precision));
      reason = absl::StrCat("for model.", part);
    }
#endif
    if (precision != Precision::kFp32) {
      note = absl::StrCat("precision ", EnumText(precision), " is not supported ", reason,
                          "; computing in fp32");
    }
    precision = Precision::kFp32;
  }
  return std::make_shared<ModuleScoringModel>(std::move(model), device, precision, std::move(note));
}

}  // namespace seq2seq
