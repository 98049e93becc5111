#include "seq2seq/model/model_scorer.h"

#include <algorithm>
#include <utility>

#include <torch/torch.h>

namespace seq2seq {

ModelScorer::ModelScorer(Model model, const Batch& sources, absl::Span<const int32_t> tokens,
                         Precision precision)
    : model_(std::move(model)),
      device_(model_->decoder()->parameters()[0].device()),
      compute_({CurrentCompute().fused, precision}),
      batch_(sources.size()),
      tokens_(tokens.begin(), tokens.end()) {
  const torch::InferenceMode inference;
  const ComputeGuard guard(compute_);
  const Encoded encoded = model_->Encode(sources);
  state_ = model_->decoder()->Start(encoded);
  lengths_.assign(encoded.lengths.data_ptr<int64_t>(),
                  encoded.lengths.data_ptr<int64_t>() + batch_);
  for (int64_t sentence = 0; sentence < batch_; ++sentence) {
    live_.push_back(sentence);
    positions_.push_back(sentence);
  }
}

StepScores ModelScorer::Step(absl::Span<const Extension> rows) {
  const torch::InferenceMode inference;
  const ComputeGuard guard(compute_);
  const torch::Device device = device_;
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
  const torch::Tensor selected = live.size() == live_.size() ? torch::Tensor() : move(kept);
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
  state_ = state_->Select(selected, move(parents));
  const DecoderStep step = decoder->Step(move(tokens), *state_);
  const torch::Tensor real = move(positions_);
  const torch::Tensor outputs = step.output.index_select(0, real);
  const torch::Tensor logits =
      decoder
          ->Logits(outputs, tokens_.empty() ? torch::Tensor() : torch::tensor(tokens_).to(device))
          .to(torch::kFloat32);
  scores_ = logits.to(torch::kCPU).contiguous();
  normalizers_ = torch::logsumexp(logits, 1).to(torch::kCPU).contiguous();
  attention_ = step.attention.index_select(0, real).to(torch::kCPU, torch::kFloat32).contiguous();
  state_ = step.state;
  StepScores scores = {
      {scores_.data_ptr<float>(), scores_.size(0), scores_.size(1), scores_.size(1)},
      {normalizers_.data_ptr<float>(), rows.size()},
      tokens_};
  if (decoder->copies()) {
    copy_logits_ = decoder->CopyLogits(outputs).to(torch::kCPU, torch::kFloat32).contiguous();
    scores.copy_logits = {copy_logits_.data_ptr<float>(), rows.size()};
  }
  return scores;
}

absl::Span<const float> ModelScorer::Attention(size_t row) const {
  return {attention_.data_ptr<float>() + static_cast<int64_t>(row) * attention_.size(1),
          static_cast<size_t>(lengths_[static_cast<size_t>(sentences_[row])])};
}

}  // namespace seq2seq
