#include "seq2seq/model/attention.h"

#include <cmath>
#include <limits>

#include <torch/torch.h>

#include "seq2seq/model/initialization.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/ops/recurrent_ops.h"

namespace seq2seq {
Memory AttentionImpl::Memorize(const Encoded& encoded) {
  const torch::Tensor mask = encoded.Mask();
  const torch::Tensor bias =
      torch::zeros(mask.sizes(), encoded.values.options().requires_grad(false))
          .masked_fill_(mask.logical_not(), -std::numeric_limits<float>::infinity());
  return {Values(encoded.values), Keys(encoded.values), bias.unsqueeze(1), encoded.lengths};
}

Attended AttentionImpl::forward(const torch::Tensor& query, const Memory& memory,
                                const torch::Tensor& past) {
  const torch::Tensor weights = torch::softmax(Score(query, memory.keys, past) + memory.bias, -1);
  return {torch::bmm(weights, memory.values), weights};
}

torch::Tensor AttentionImpl::UpdateCoverage(const torch::Tensor&, const torch::Tensor&) const {
  return {};
}

torch::Tensor AttentionImpl::Score(const torch::Tensor& query, const torch::Tensor& keys,
                                   const torch::Tensor&) {
  return torch::bmm(query, keys.transpose(1, 2));
}

GeneralAttentionImpl::GeneralAttentionImpl(int64_t memory, int64_t hidden)
    : projection_(register_module("projection", MakeLinear(memory, hidden, /*bias=*/false))) {}

torch::Tensor GeneralAttentionImpl::Keys(const torch::Tensor& values) {
  return UsesKernels(projection_->weight) ? FusedLinear(values, projection_->weight, kDecoderPhases)
                                          : projection_(values);
}

torch::Tensor DotAttentionImpl::Keys(const torch::Tensor& values) {
  return scale_ == 1 ? values : scale_ * values;
}

MlpAttentionImpl::MlpAttentionImpl(int64_t memory, int64_t hidden)
    : key_projection_(register_module("key_projection", MakeLinear(memory, hidden, /*bias=*/true))),
      query_projection_(
          register_module("query_projection", MakeLinear(hidden, hidden, /*bias=*/false))),
      energy_(register_module("energy", MakeLinear(hidden, 1, /*bias=*/false))) {}

torch::Tensor MlpAttentionImpl::Keys(const torch::Tensor& values) {
  return UsesKernels(key_projection_->weight)
             ? FusedLinear(values, key_projection_->weight, kDecoderPhases, key_projection_->bias)
             : key_projection_(values);
}

torch::Tensor MlpAttentionImpl::Score(const torch::Tensor& query, const torch::Tensor& keys,
                                      const torch::Tensor& past) {
  torch::Tensor sum =
      query_projection_(query).unsqueeze(2) + keys.unsqueeze(1);  // [batch, query, source, hidden]
  const torch::Tensor added = past.defined() ? Past(past) : torch::Tensor();
  if (added.defined()) sum = sum + added;
  return energy_(torch::tanh(sum)).squeeze(-1);
}

CoverageAttentionImpl::CoverageAttentionImpl(int64_t memory, int64_t hidden)
    : MlpAttentionImpl(memory, hidden),
      coverage_(register_module("coverage", MakeLinear(1, hidden, /*bias=*/false))) {}

torch::Tensor CoverageAttentionImpl::UpdateCoverage(const torch::Tensor& weights,
                                                    const torch::Tensor& past) const {
  return past.defined() ? past + weights : weights;
}

torch::Tensor CoverageAttentionImpl::Past(const torch::Tensor& past) {
  return coverage_(past.unsqueeze(-1));
}

LocationAttentionImpl::LocationAttentionImpl(int64_t memory, int64_t hidden)
    : MlpAttentionImpl(memory, hidden),
      filters_(register_module(
          "filters",
          torch::nn::Conv1d(torch::nn::Conv1dOptions(1, kLocationFilters, kLocationFilterWidth)
                                .padding(kLocationFilterWidth / 2)
                                .bias(false)))),
      location_(register_module("location", MakeLinear(kLocationFilters, hidden, /*bias=*/false))) {
}

torch::Tensor LocationAttentionImpl::UpdateCoverage(const torch::Tensor& weights,
                                                    const torch::Tensor&) const {
  return weights;
}

torch::Tensor LocationAttentionImpl::Past(const torch::Tensor& past) {
  const torch::Tensor features =
      filters_(past.flatten(0, 1).unsqueeze(1));  // [batch x query, filter, source]
  return location_(features.transpose(1, 2)).view({past.size(0), past.size(1), past.size(2), -1});
}

MultiHeadAttentionImpl::MultiHeadAttentionImpl(int64_t memory, int64_t hidden, int64_t heads)
    : hidden_(hidden),
      heads_(heads),
      query_projection_(
          register_module("query_projection", MakeLinear(hidden, hidden, /*bias=*/false))),
      key_projection_(
          register_module("key_projection", MakeLinear(memory, hidden, /*bias=*/false))),
      value_projection_(
          register_module("value_projection", MakeLinear(memory, hidden, /*bias=*/false))) {
  TORCH_CHECK(hidden % heads == 0, "hidden size ", hidden, " is not divisible by ", heads,
              " heads");
}

torch::Tensor MultiHeadAttentionImpl::Values(const torch::Tensor& values) {
  return value_projection_(values);
}

torch::Tensor MultiHeadAttentionImpl::Keys(const torch::Tensor& values) {
  return key_projection_(values);
}

torch::Tensor MultiHeadAttentionImpl::Split(const torch::Tensor& rows) const {
  return rows.view({rows.size(0), rows.size(1), heads_, hidden_ / heads_}).transpose(1, 2);
}

Attended MultiHeadAttentionImpl::forward(const torch::Tensor& query, const Memory& memory,
                                         const torch::Tensor&) {
  const double scale = 1 / std::sqrt(static_cast<double>(hidden_ / heads_));
  const torch::Tensor scores =
      torch::matmul(scale * Split(query_projection_(query)), Split(memory.keys).transpose(2, 3));
  const torch::Tensor weights =
      torch::softmax(scores + memory.bias.unsqueeze(1), -1);  // [batch, head, query, source]
  const torch::Tensor read = torch::matmul(weights, Split(memory.values));
  return {read.transpose(1, 2).flatten(2), weights.mean(1)};
}

torch::Tensor NoAttentionImpl::Values(const torch::Tensor& values) {
  return values.narrow(2, 0, 0);
}

torch::Tensor NoAttentionImpl::Keys(const torch::Tensor& values) { return values.narrow(2, 0, 0); }

torch::Tensor NoAttentionImpl::Score(const torch::Tensor& query, const torch::Tensor& keys,
                                     const torch::Tensor&) {
  return torch::zeros({query.size(0), query.size(1), keys.size(1)},
                      query.options().requires_grad(false));
}

Attention MakeAttention(AttentionKind kind, int64_t memory, int64_t hidden, int64_t heads) {
  std::shared_ptr<AttentionImpl> attention;
  switch (kind) {
    case AttentionKind::kGeneral:
      attention = std::make_shared<GeneralAttentionImpl>(memory, hidden);
      break;
    case AttentionKind::kDot:
    case AttentionKind::kScaledDot:
      TORCH_CHECK(memory == hidden, "dot attention needs equal sizes: query ", hidden, ", value ",
                  memory);
      attention = std::make_shared<DotAttentionImpl>(KeyScale(kind, memory));
      break;
    case AttentionKind::kMlp:
      attention = std::make_shared<MlpAttentionImpl>(memory, hidden);
      break;
    case AttentionKind::kMultiHead:
      attention = std::make_shared<MultiHeadAttentionImpl>(memory, hidden, heads);
      break;
    case AttentionKind::kCoverage:
      attention = std::make_shared<CoverageAttentionImpl>(memory, hidden);
      break;
    case AttentionKind::kLocation:
      attention = std::make_shared<LocationAttentionImpl>(memory, hidden);
      break;
    case AttentionKind::kNone:
      attention = std::make_shared<NoAttentionImpl>();
      break;
  }
  TORCH_CHECK(attention != nullptr, "unknown attention kind: ", static_cast<int>(kind));
  return Attention(attention);
}

}  // namespace seq2seq
