#include "seq2seq/model/model_scorer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/weights/safetensors.h"

#if SEQ2SEQ_KERNELS
#include "seq2seq/search/inference_scorer.h"
#endif

namespace seq2seq {
namespace {

class PlainModel : public ScoringModel {
 public:
  PlainModel(Model model, torch::Device device, Precision precision)
      : model_(std::move(model)), device_(device), precision_(precision) {}

  std::unique_ptr<Scorer> Begin(const Batch& sources,
                                absl::Span<const int32_t> tokens) const override {
    return std::make_unique<ModelScorer>(model_, sources.To(device_), tokens, precision_);
  }

  double weight_bytes() const override {
    double bytes = 0;
    for (const auto& [name, parameter] : Parameters(*model_))
      bytes += static_cast<double>(parameter.nbytes());
    return bytes;
  }

  double BatchBytes(const SearchShape& shape) const override {
    return SearchBytes(model_->options(), shape, /*packed=*/false);
  }

 private:
  Model model_;
  torch::Device device_;
  Precision precision_;
};

#if SEQ2SEQ_KERNELS
class KernelModel : public ScoringModel {
 public:
  KernelModel(Model model, Precision precision)
      : model_(std::make_shared<InferenceModel>(std::move(model), precision)) {}

  std::unique_ptr<Scorer> Begin(const Batch& sources,
                                absl::Span<const int32_t> tokens) const override {
    return std::make_unique<InferenceScorer>(model_, sources, tokens);
  }

  double weight_bytes() const override { return model_->bytes(); }

  double BatchBytes(const SearchShape& shape) const override {
    return SearchBytes(model_->options(), shape, /*packed=*/true);
  }

 private:
  std::shared_ptr<const InferenceModel> model_;
};
#endif

}  // namespace

ModelScorer::ModelScorer(Model model, const Batch& sources, absl::Span<const int32_t> tokens,
                         Precision precision)
    : model_(std::move(model)),
      compute_({CurrentCompute().fused, precision}),
      batch_(sources.size()),
      tokens_(tokens.begin(), tokens.end()) {
  const ComputeGuard guard(compute_);
  now_ = model_->Begin(sources);
  const torch::Tensor lengths = now_.memory.bias.eq(0).sum({1, 2}).to(torch::kCPU);
  lengths_.assign(lengths.data_ptr<int64_t>(), lengths.data_ptr<int64_t>() + batch_);
  for (int64_t sentence = 0; sentence < batch_; ++sentence) {
    live_.push_back(sentence);
    positions_.push_back(sentence);
  }
}

StepScores ModelScorer::Step(absl::Span<const Extension> rows) {
  const ComputeGuard guard(compute_);
  const torch::Device device = now_.memory.values.device();
  const auto move = [device](const std::vector<int64_t>& indices) {
    return torch::tensor(indices).to(device);
  };
  // The sentences that continue, and the number of rows of each.
  std::vector<int64_t> live, kept, counts;
  sentences_.clear();
  for (const Extension& row : rows) {
    sentences_.push_back(row.sentence);
    if (live.empty() || live.back() != row.sentence) {
      const auto before = std::lower_bound(live_.begin(), live_.end(), row.sentence);
      live.push_back(row.sentence);
      kept.push_back(before - live_.begin());
      counts.push_back(0);
    }
    ++counts.back();
  }
  // Most time steps finish no sentence, and the encoder output is large.
  if (live.size() != live_.size()) now_.memory = now_.memory.Select(move(kept));
  live_ = std::move(live);

  // All sentences get the same number of rows: those with fewer repeat their first one.
  const int64_t width = *std::max_element(counts.begin(), counts.end());
  std::vector<int64_t> parents, tokens, positions;
  size_t next = 0;
  for (const int64_t count : counts) {
    const size_t first = next;
    for (int64_t i = 0; i < width; ++i) {
      const Extension& row = rows[i < count ? next : first];
      if (i < count) {
        positions.push_back(static_cast<int64_t>(parents.size()));
        ++next;
      }
      parents.push_back(positions_[static_cast<size_t>(row.parent)]);
      tokens.push_back(row.token);
    }
  }
  positions_ = std::move(positions);
  Decoder& decoder = model_->decoder();
  DecoderStep step = decoder->Step(decoder->ProjectTokens(move(tokens)),
                                   now_.state.Select(move(parents)), now_.memory);
  const torch::Tensor real = move(positions_);
  const torch::Tensor logits =
      decoder
          ->Logits(step.attentional_state.index_select(0, real),
                   tokens_.empty() ? torch::Tensor() : torch::tensor(tokens_).to(device))
          .to(torch::kFloat32);
  scores_ = logits.to(torch::kCPU).contiguous();
  normalizers_ = torch::logsumexp(logits, 1).to(torch::kCPU).contiguous();
  attention_ = step.attention.index_select(0, real).to(torch::kCPU, torch::kFloat32).contiguous();
  now_.state = std::move(step.state);
  return {{scores_.data_ptr<float>(), scores_.size(0), scores_.size(1), scores_.size(1)},
          {normalizers_.data_ptr<float>(), rows.size()},
          tokens_};
}

absl::Span<const float> ModelScorer::Attention(size_t row) const {
  return {attention_.data_ptr<float>() + static_cast<int64_t>(row) * attention_.size(1),
          static_cast<size_t>(lengths_[static_cast<size_t>(sentences_[row])])};
}

std::string PrecisionNote(const ModelOptions& options, torch::Device device, Precision precision) {
  if (precision == Precision::kFp32 || !device.is_cpu()) return "";
  std::string why = "without the kernels";
#if SEQ2SEQ_KERNELS
  const std::string part = InferenceModel::UnknownPart(options);
  if (CurrentCompute().fused && part.empty()) return "";
  if (!part.empty()) why = absl::StrCat("for model.", part);
#endif
  return absl::StrCat("precision ", EnumText(precision), " is not supported ", why,
                      "; computing in fp32");
}

std::shared_ptr<const ScoringModel> MakeScoringModel(Model model, torch::Device device,
                                                     Precision precision) {
#if SEQ2SEQ_KERNELS
  if (device.is_cpu() && CurrentCompute().fused &&
      InferenceModel::UnknownPart(model->options()).empty()) {
    return std::make_shared<KernelModel>(std::move(model), precision);
  }
#endif
  return std::make_shared<PlainModel>(std::move(model), device,
                                      device.is_cpu() ? Precision::kFp32 : precision);
}

}  // namespace seq2seq
