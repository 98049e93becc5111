#include "seq2seq/model/transformer_attention.h"

#include <cmath>

#include <torch/torch.h>

#include "seq2seq/model/initialization.h"
#include "seq2seq/ops/recurrent_ops.h"
#include "seq2seq/ops/sequence_ops.h"
#include "seq2seq/ops/transformer_ops.h"

namespace seq2seq {

void KeysValues::Append(const KeysValues& later) {
  if (!keys.defined()) {
    *this = later;
    return;
  }
  keys = torch::cat({keys, later.keys}, 2);
  values = torch::cat({values, later.values}, 2);
}

RowLayout LayOutRows(const torch::Tensor& lengths, int64_t size,
                     const TransformerOptions& options) {
  RowLayout layout = {MakeSequenceRows(lengths), nullptr};
  if (options.positions == PositionKind::kRotary)
    layout.rotary = MakeRotaryTable(size / options.heads, lengths.max().item<int64_t>());
  return layout;
}

torch::Tensor Rotate(const torch::Tensor& heads, int64_t first) {
  const int64_t half = heads.size(3) / 2;
  const torch::Tensor frequencies =
      torch::pow(10000.0, torch::arange(half, torch::kFloat64) / -static_cast<double>(half));
  const torch::Tensor positions =
      torch::arange(first, first + heads.size(2), torch::kFloat64).unsqueeze(1);
  const torch::Tensor angles = positions * frequencies;  // [time, half]
  const torch::Tensor cosines = angles.cos().to(heads.options().requires_grad(false));
  const torch::Tensor sines = angles.sin().to(heads.options().requires_grad(false));
  const torch::Tensor x = heads.narrow(3, 0, half), y = heads.narrow(3, half, half);
  return torch::cat({x * cosines - y * sines, y * cosines + x * sines}, 3);
}

TransformerAttentionImpl::TransformerAttentionImpl(int64_t size, int64_t memory,
                                                   const TransformerOptions& options)
    : size_(size),
      heads_(options.heads),
      dropout_(options.attention_dropout),
      out_proj_(register_module("out_proj", MakeLinear(size, size, /*bias=*/true))) {
  if (memory == size) {
    in_proj_weight_ = register_parameter("in_proj_weight", torch::empty({3 * size, size}));
    InitializeXavier(in_proj_weight_);
  } else {
    const char* names[] = {"q_proj_weight", "k_proj_weight", "v_proj_weight"};
    for (int64_t part = 0; part < 3; ++part) {
      projections_[part] =
          register_parameter(names[part], torch::empty({size, part == 0 ? size : memory}));
      InitializeXavier(projections_[part]);
    }
  }
  in_proj_bias_ = register_parameter("in_proj_bias", torch::zeros({3 * size}));
}

torch::Tensor TransformerAttentionImpl::Project(const torch::Tensor& input, int64_t part) const {
  const torch::Tensor weight = in_proj_weight_.defined()
                                   ? in_proj_weight_.narrow(0, part * size_, size_)
                                   : projections_[part];
  return torch::linear(input, weight, in_proj_bias_.narrow(0, part * size_, size_));
}

torch::Tensor TransformerAttentionImpl::SplitHeads(const torch::Tensor& rows) const {
  return rows.view({rows.size(0), rows.size(1), heads_, size_ / heads_}).transpose(1, 2);
}

torch::Tensor TransformerAttentionImpl::Queries(const torch::Tensor& input) const {
  return SplitHeads(Project(input, 0));
}

KeysValues TransformerAttentionImpl::Memorize(const torch::Tensor& memory) const {
  return {SplitHeads(Project(memory, 1)), SplitHeads(Project(memory, 2))};
}

torch::Tensor TransformerAttentionImpl::forward(const torch::Tensor& queries,
                                                const KeysValues& memory, const torch::Tensor& bias,
                                                torch::Tensor* weights) {
  const double scale = 1 / std::sqrt(static_cast<double>(size_ / heads_));
  torch::Tensor scores = torch::matmul(queries * scale, memory.keys.transpose(2, 3));
  if (bias.defined()) scores = scores + bias;
  const torch::Tensor softmax = torch::softmax(scores, 3);
  if (weights != nullptr) *weights = softmax;
  const torch::Tensor contexts =
      torch::matmul(torch::dropout(softmax, dropout_, is_training()), memory.values);
  return out_proj_(contexts.transpose(1, 2).flatten(2));
}

torch::Tensor TransformerAttentionImpl::SelfAttendRows(const torch::Tensor& input,
                                                       const RowLayout& layout, bool causal,
                                                       const PassPhases& phases) const {
  torch::Tensor projected = FusedLinear(input, in_proj_weight_, phases, in_proj_bias_);
  if (layout.rotary)
    projected = FusedRotary(projected, 2 * size_, layout.rotary, layout.rows, phases);
  const FusedHeads heads = {heads_, causal, is_training() ? dropout_ : 0};
  return FusedLinear(FusedSelfAttention(projected, layout.rows, heads, phases), out_proj_->weight,
                     phases, out_proj_->bias);
}

torch::Tensor TransformerAttentionImpl::MemorizeRows(const torch::Tensor& memory,
                                                     const PassPhases& phases) const {
  const torch::Tensor weight = in_proj_weight_.defined()
                                   ? in_proj_weight_.narrow(0, size_, 2 * size_)
                                   : torch::cat({projections_[1], projections_[2]});
  return FusedLinear(memory, weight, phases, in_proj_bias_.narrow(0, size_, 2 * size_));
}

torch::Tensor TransformerAttentionImpl::AttendRows(
    const torch::Tensor& input, const RowLayout& layout, const torch::Tensor& memory,
    const RowLayout& memory_layout, const PassPhases& phases, AttendedRows* attended) const {
  const torch::Tensor weight =
      in_proj_weight_.defined() ? in_proj_weight_.narrow(0, 0, size_) : projections_[0];
  const torch::Tensor queries =
      FusedLinear(input, weight, phases, in_proj_bias_.narrow(0, 0, size_));
  if (attended != nullptr) *attended = {queries, memory.narrow(1, 0, size_).contiguous()};
  const FusedHeads heads = {heads_, /*causal=*/false, is_training() ? dropout_ : 0};
  return FusedLinear(
      FusedCrossAttention(queries, memory, layout.rows, memory_layout.rows, heads, phases),
      out_proj_->weight, phases, out_proj_->bias);
}

}  // namespace seq2seq
