#include "seq2seq/model/transformer_layer.h"

#include <cmath>
#include <limits>
#include <vector>

#include <torch/torch.h>

#include "seq2seq/inference/positions.h"
#include "seq2seq/model/initialization.h"
#include "seq2seq/ops/recurrent_ops.h"
#include "seq2seq/ops/sequence_ops.h"
#include "seq2seq/ops/transformer_ops.h"

namespace seq2seq {
namespace {

torch::Tensor Activate(const torch::Tensor& values, ActivationKind kind) {
  switch (kind) {
    case ActivationKind::kRelu:
      return torch::relu(values);
    case ActivationKind::kGelu:
      return torch::gelu(values);
    case ActivationKind::kSilu:
      return torch::silu(values);
  }
  return values;  // Not one of the kinds.
}

bool IsRows(const torch::Tensor& values) { return values.dim() == 2; }

torch::Tensor LinearRows(const torch::Tensor& input, const torch::nn::Linear& linear,
                         const PassPhases& phases) {
  return FusedLinear(input, linear->weight, phases, linear->bias);
}

}  // namespace

TransformerLayerImpl::TransformerLayerImpl(int64_t size, double dropout,
                                           const TransformerOptions& options,
                                           const PassPhases& phases)
    : size_(size), dropout_(dropout), options_(options), phases_(phases) {}

torch::Tensor TransformerLayerImpl::Normalize(torch::nn::LayerNorm& norm,
                                              const torch::Tensor& values) const {
  return NormalizeLast(norm, values, phases_);
}

torch::Tensor TransformerLayerImpl::AddDropped(const torch::Tensor& residual,
                                               const torch::Tensor& values) const {
  if (IsRows(values))
    return FusedDropoutAdd(residual, values, is_training() ? dropout_ : 0, phases_);
  return residual + torch::dropout(values, dropout_, is_training());
}

torch::nn::LayerNorm TransformerLayerImpl::MakeNorm() const {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({size_}));
}

void TransformerLayerImpl::MakeFeedForward() {
  const int64_t hidden = options_.feed_forward;
  linear1_ = register_module("linear1", MakeLinear(size_, hidden, /*bias=*/true));
  if (options_.gated) gate_ = register_module("gate", MakeLinear(size_, hidden, /*bias=*/true));
  linear2_ = register_module("linear2", MakeLinear(hidden, size_, /*bias=*/true));
}

torch::Tensor TransformerLayerImpl::FeedForwardRows(const torch::Tensor& input) const {
  torch::Tensor hidden;
  if (gate_.is_empty()) {
    hidden = FusedActivation(LinearRows(input, linear1_, phases_), options_.activation, phases_);
  } else {
    const torch::Tensor both = FusedLinear(input, torch::cat({gate_->weight, linear1_->weight}),
                                           phases_, torch::cat({gate_->bias, linear1_->bias}));
    hidden = FusedGated(both, options_.activation, phases_);
  }
  hidden = FusedDropout(hidden, is_training() ? options_.activation_dropout : 0);
  return LinearRows(hidden, linear2_, phases_);
}

torch::Tensor TransformerLayerImpl::FeedForward(const torch::Tensor& input) {
  if (IsRows(input)) return FeedForwardRows(input);
  torch::Tensor hidden = gate_.is_empty()
                             ? Activate(linear1_(input), options_.activation)
                             : Activate(gate_(input), options_.activation) * linear1_(input);
  return linear2_(torch::dropout(hidden, options_.activation_dropout, is_training()));
}

TransformerEncoderLayerImpl::TransformerEncoderLayerImpl(const EncoderOptions& options)
    : TransformerLayerImpl(options.hidden, options.dropout, options.transformer, kEncoderPhases),
      self_attn_(register_module(
          "self_attn", TransformerAttention(options.hidden, options.hidden, options.transformer))),
      norm1_(register_module("norm1", MakeNorm())),
      norm2_(register_module("norm2", MakeNorm())) {
  MakeFeedForward();
}

torch::Tensor TransformerEncoderLayerImpl::forward(const torch::Tensor& input,
                                                   const torch::Tensor& bias) {
  const torch::Tensor attended = Residual(input, norm1_, [&](const torch::Tensor& x) {
    torch::Tensor queries = self_attn_->Queries(x);
    KeysValues memory = self_attn_->Memorize(x);
    if (options_.positions == PositionKind::kRotary) {
      queries = Rotate(queries, 0);
      memory.keys = Rotate(memory.keys, 0);
    }
    return self_attn_(queries, memory, bias);
  });
  return Residual(attended, norm2_, [&](const torch::Tensor& x) { return FeedForward(x); });
}

torch::Tensor TransformerEncoderLayerImpl::ForwardRows(const torch::Tensor& input,
                                                       const RowLayout& layout) {
  const torch::Tensor attended = Residual(input, norm1_, [&](const torch::Tensor& x) {
    return self_attn_->SelfAttendRows(x, layout, /*causal=*/false, phases_);
  });
  return Residual(attended, norm2_, [&](const torch::Tensor& x) { return FeedForward(x); });
}

SsruImpl::SsruImpl(int64_t size)
    : weight_(register_parameter("weight", torch::empty({2 * size, size}))),
      bias_(register_parameter("bias", torch::zeros({size}))) {
  InitializeXavier(weight_);
}

torch::Tensor SsruImpl::forward(const torch::Tensor& input, torch::Tensor& cell) {
  const std::vector<torch::Tensor> parts = torch::linear(input, weight_).chunk(2, 2);
  const torch::Tensor forget = torch::sigmoid(parts[1] + bias_);
  const torch::Tensor added = (1 - forget) * parts[0];
  std::vector<torch::Tensor> outputs;
  for (int64_t time = 0; time < input.size(1); ++time) {
    const torch::Tensor now = added.select(1, time);
    cell = cell.defined() ? forget.select(1, time) * cell + now : now;
    outputs.push_back(torch::relu(cell));
  }
  return torch::stack(outputs, 1);
}

torch::Tensor SsruImpl::ForwardRows(const torch::Tensor& input, const RowLayout& layout,
                                    const PassPhases& phases) const {
  const torch::Tensor bias = torch::cat({torch::zeros_like(bias_), bias_});
  return FusedSsru(FusedLinear(input, weight_, phases, bias), layout.rows, phases);
}

TransformerLayerState TransformerLayerState::Select(const torch::Tensor& rows) const {
  TransformerLayerState selected;
  if (self.keys.defined()) selected.self = self.Select(rows);
  if (cell.defined()) selected.cell = cell.index_select(0, rows);
  return selected;
}

TransformerDecoderLayerImpl::TransformerDecoderLayerImpl(int64_t memory,
                                                         const DecoderOptions& options)
    : TransformerLayerImpl(options.hidden, options.dropout, options.transformer, kDecoderPhases),
      norm1_(register_module("norm1", MakeNorm())),
      norm3_(register_module("norm3", MakeNorm())) {
  if (options.kind == DecoderKind::kSsru) {
    ssru_ = register_module("ssru", Ssru(size_));
  } else {
    self_attn_ = register_module("self_attn", TransformerAttention(size_, size_, options_));
  }
  if (memory > 0) {
    multihead_attn_ =
        register_module("multihead_attn", TransformerAttention(size_, memory, options_));
    norm2_ = register_module("norm2", MakeNorm());
  }
  MakeFeedForward();
}

torch::Tensor TransformerDecoderLayerImpl::Recur(const torch::Tensor& input,
                                                 TransformerLayerState& state) {
  if (!ssru_.is_empty()) return ssru_(input, state.cell);
  const int64_t before = state.self.keys.defined() ? state.self.keys.size(2) : 0;
  torch::Tensor queries = self_attn_->Queries(input);
  KeysValues now = self_attn_->Memorize(input);
  if (options_.positions == PositionKind::kRotary) {
    queries = Rotate(queries, before);
    now.keys = Rotate(now.keys, before);
  }
  state.self.Append(now);
  const int64_t time = input.size(1);
  return self_attn_(queries, state.self,
                    time > 1 ? CausalBias(before, time, queries) : torch::Tensor());
}

torch::Tensor TransformerDecoderLayerImpl::forward(const torch::Tensor& input,
                                                   TransformerLayerState& state,
                                                   const TransformerMemory& memory) {
  torch::Tensor x =
      Residual(input, norm1_, [&](const torch::Tensor& rows) { return Recur(rows, state); });
  if (!multihead_attn_.is_empty()) {
    x = Residual(x, norm2_, [&](const torch::Tensor& rows) {
      // The rows of a sentence are further queries to the same memory.
      const torch::Tensor queries =
          multihead_attn_->Queries(rows.reshape({memory.of_layer.keys.size(0), -1, size_}));
      return multihead_attn_(queries, memory.of_layer, memory.bias, memory.weights)
          .view(rows.sizes());
    });
  }
  return Residual(x, norm3_, [&](const torch::Tensor& rows) { return FeedForward(rows); });
}

torch::Tensor TransformerDecoderLayerImpl::ForwardRows(const torch::Tensor& input,
                                                       const RowLayout& layout,
                                                       const torch::Tensor& encoded,
                                                       const RowLayout& encoded_layout,
                                                       AttendedRows* attended) {
  torch::Tensor x = Residual(input, norm1_, [&](const torch::Tensor& rows) {
    return ssru_.is_empty() ? self_attn_->SelfAttendRows(rows, layout, /*causal=*/true, phases_)
                            : ssru_->ForwardRows(rows, layout, phases_);
  });
  if (!multihead_attn_.is_empty()) {
    const torch::Tensor memory = multihead_attn_->MemorizeRows(encoded, phases_);
    x = Residual(x, norm2_, [&](const torch::Tensor& rows) {
      return multihead_attn_->AttendRows(rows, layout, memory, encoded_layout, phases_, attended);
    });
  }
  return Residual(x, norm3_, [&](const torch::Tensor& rows) { return FeedForward(rows); });
}

torch::Tensor NormalizeLast(torch::nn::LayerNorm& norm, const torch::Tensor& values,
                            const PassPhases& phases) {
  if (norm.is_empty()) return values;
  return IsRows(values) ? FusedLayerNorm(values, norm->weight, norm->bias, phases) : norm(values);
}

torch::Tensor EmbedRows(const torch::Tensor& tokens, const torch::Tensor& embedding,
                        const RowLayout& layout, const TransformerOptions& options,
                        const torch::Tensor& learned, double dropout) {
  const SequenceRows& rows = *layout.rows;
  const int64_t size = embedding.size(1);
  torch::Tensor values = FusedEmbedding(embedding, tokens, layout.rows,
                                        std::sqrt(static_cast<double>(size)), /*rate=*/0);
  if (options.positions != PositionKind::kRotary) {
    torch::Tensor positions = torch::zeros({rows.rows()}, torch::kInt64);
    auto* const position = positions.data_ptr<int64_t>();
    rows.ForEachToken([&](int64_t row, int64_t, int64_t step) { position[row] = step; });
    torch::Tensor table = learned;
    if (options.positions == PositionKind::kLearned) {
      positions.clamp_max_(options.max_positions - 1);
    } else {
      table = torch::empty({tokens.size(1), size});
      SinusoidalPositions(0, {table.data_ptr<float>(), table.size(0), size, size});
    }
    values = values + table.index_select(0, positions);
  }
  return FusedDropout(values, dropout);
}

torch::Tensor PaddingBias(const torch::Tensor& mask, const torch::Tensor& like) {
  constexpr double kHidden = -std::numeric_limits<double>::infinity();
  return torch::zeros(mask.sizes(), like.options().requires_grad(false))
      .masked_fill_(mask.logical_not(), kHidden)
      .unsqueeze(1)
      .unsqueeze(1);
}

torch::Tensor MakePositions(const TransformerOptions& options, int64_t size) {
  return torch::nn::init::uniform_(torch::empty({options.max_positions, size}),
                                   -InitializationOptions().range, InitializationOptions().range);
}

torch::Tensor CausalBias(int64_t before, int64_t time, const torch::Tensor& like) {
  const torch::Tensor open =
      torch::zeros({time, before + time}, like.options().requires_grad(false));
  return open + torch::full_like(open, -std::numeric_limits<double>::infinity()).triu(before + 1);
}

torch::Tensor AddPositions(const torch::Tensor& embedded, int64_t first,
                           const TransformerOptions& options, const torch::Tensor& learned) {
  const int64_t time = embedded.size(1), size = embedded.size(2);
  const torch::Tensor scaled = embedded * std::sqrt(static_cast<double>(size));
  switch (options.positions) {
    case PositionKind::kSinusoidal: {
      const torch::Tensor table = torch::empty({time, size});
      SinusoidalPositions(first, {table.data_ptr<float>(), time, size, size});
      return scaled + table.to(embedded.options().requires_grad(false));
    }
    case PositionKind::kLearned: {
      const torch::Tensor positions = torch::arange(first, first + time, torch::kInt64)
                                          .clamp_max(options.max_positions - 1)
                                          .to(embedded.device());
      return scaled + learned.index_select(0, positions);
    }
    case PositionKind::kRotary:
      return scaled;
  }
  return scaled;  // Not one of the kinds.
}

}  // namespace seq2seq
