#include "seq2seq/model/attention.h"

#include <limits>

#include <torch/torch.h>

#include "seq2seq/model/compute.h"
#include "seq2seq/model/fused_layer.h"
#include "seq2seq/model/initialization.h"

namespace seq2seq {

Memory Memory::Select(const torch::Tensor& sentences) const {
  return {values.index_select(0, sentences), keys.index_select(0, sentences),
          bias.index_select(0, sentences)};
}

Memory AttentionImpl::Memorize(const Encoded& encoded) {
  const torch::Tensor bias =
      torch::zeros(encoded.mask.sizes(), encoded.values.options().requires_grad(false))
          .masked_fill_(encoded.mask.logical_not(), -std::numeric_limits<float>::infinity());
  return {encoded.values, Keys(encoded.values), bias.unsqueeze(1)};
}

Attended AttentionImpl::forward(const torch::Tensor& query, const Memory& memory) {
  const torch::Tensor weights = torch::softmax(Score(query, memory.keys) + memory.bias, -1);
  return {torch::bmm(weights, memory.values), weights};
}

GeneralAttentionImpl::GeneralAttentionImpl(int64_t memory, int64_t hidden)
    : projection_(register_module("projection", MakeLinear(memory, hidden, /*bias=*/false))) {}

torch::Tensor GeneralAttentionImpl::Keys(const torch::Tensor& values) {
  return UsesKernels(projection_->weight) ? FusedLinear(values, projection_->weight)
                                          : projection_(values);
}

torch::Tensor GeneralAttentionImpl::Score(const torch::Tensor& query, const torch::Tensor& keys) {
  return torch::bmm(query, keys.transpose(1, 2));
}

torch::Tensor DotAttentionImpl::Keys(const torch::Tensor& values) { return values; }

torch::Tensor DotAttentionImpl::Score(const torch::Tensor& query, const torch::Tensor& keys) {
  return torch::bmm(query, keys.transpose(1, 2));
}

MlpAttentionImpl::MlpAttentionImpl(int64_t memory, int64_t hidden)
    : key_projection_(register_module("key_projection", MakeLinear(memory, hidden, /*bias=*/true))),
      query_projection_(
          register_module("query_projection", MakeLinear(hidden, hidden, /*bias=*/false))),
      energy_(register_module("energy", MakeLinear(hidden, 1, /*bias=*/false))) {}

torch::Tensor MlpAttentionImpl::Keys(const torch::Tensor& values) {
  return key_projection_(values);
}

torch::Tensor MlpAttentionImpl::Score(const torch::Tensor& query, const torch::Tensor& keys) {
  const torch::Tensor sum =
      query_projection_(query).unsqueeze(2) + keys.unsqueeze(1);  // [batch, query, source, hidden]
  return energy_(torch::tanh(sum)).squeeze(-1);
}

Attention MakeAttention(AttentionKind kind, int64_t memory, int64_t hidden) {
  switch (kind) {
    case AttentionKind::kGeneral:
      return Attention(
          std::shared_ptr<AttentionImpl>(std::make_shared<GeneralAttentionImpl>(memory, hidden)));
    case AttentionKind::kDot:
      TORCH_CHECK(memory == hidden, "dot attention of ", hidden, " to ", memory);
      return Attention(std::shared_ptr<AttentionImpl>(std::make_shared<DotAttentionImpl>()));
    case AttentionKind::kMlp:
      return Attention(
          std::shared_ptr<AttentionImpl>(std::make_shared<MlpAttentionImpl>(memory, hidden)));
  }
  TORCH_CHECK(false, "no such attention: ", static_cast<int>(kind));
}

}  // namespace seq2seq
