#include "seq2seq/model/recurrent_decoder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/option_rules.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/model/dropout.h"
#include "seq2seq/ops/decoder_op.h"
#include "seq2seq/ops/output_loss_op.h"
#include "seq2seq/model/initialization.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

absl::Status Validate(const DecoderOptions& options) {
  OptionRules rules;
  rules.ExpectSize("model.decoder.embedding", options.embedding);
  rules.ExpectSize("model.decoder.hidden", options.hidden);
  rules.ExpectSize("model.decoder.layers", options.layers);
  rules.ExpectShare("model.decoder.dropout", options.dropout);
  rules.ExpectShare("model.decoder.embedding_dropout",
                    DropoutOf(options.embedding_dropout, options.dropout));
  rules.ExpectShare("model.decoder.output_dropout",
                    DropoutOf(options.output_dropout, options.dropout));
  rules.ExpectShare("model.decoder.attention_dropout", options.attention_dropout);
  rules.ExpectShare("model.decoder.recurrent_dropout", options.recurrent_dropout);
  rules.Expect("model.decoder.recurrent_dropout", options.recurrent_dropout,
               options.recurrent_dropout == 0 || HasGates(options.cell),
               "0 for cells without gates");
  rules.ExpectShare("model.decoder.word_dropout", options.word_dropout);
  rules.Expect("model.decoder.doubly_stochastic", options.doubly_stochastic,
               options.doubly_stochastic >= 0 && options.doubly_stochastic <= 1000, "0 to 1,000");
  rules.Expect("model.decoder.attention_heads", options.attention_heads,
               options.attention != AttentionKind::kMultiHead ||
                   (options.attention_heads >= 1 && options.hidden % options.attention_heads == 0),
               absl::StrCat("a divisor of model.decoder.hidden, ", options.hidden));
  const bool blind = options.attention == AttentionKind::kNone;
  rules.Expect("model.decoder.context_gate", "true", !blind || !options.context_gate,
               "false where model.decoder.attention is none");
  rules.Expect("model.decoder.doubly_stochastic", options.doubly_stochastic,
               !blind || options.doubly_stochastic == 0, "0 where model.decoder.attention is none");
  return rules.status();
}

bool HasKernel(const DecoderOptions& options) {
  const bool known =
      options.attention == AttentionKind::kGeneral || options.attention == AttentionKind::kDot ||
      options.attention == AttentionKind::kScaledDot || options.attention == AttentionKind::kNone;
  return known && HasKernel(options.cell) && !options.context_gate &&
         !(options.residual && options.layers > 1);
}

DecoderState DecoderState::Select(const torch::Tensor& rows) const {
  DecoderState selected;
  for (const CellState& cell : cells) selected.cells.push_back(cell.Select(rows));
  selected.attentional = attentional_state.index_select(0, rows);
  if (attended.defined()) selected.attended = attended.index_select(0, rows);
  return selected;
}

DecoderImpl::DecoderImpl(int64_t vocab, int64_t memory, const DecoderOptions& options,
                         torch::nn::Embedding embedding)
    : options_(options),
      embedding_dropout_(DropoutOf(options.embedding_dropout, options.dropout)),
      output_dropout_(DropoutOf(options.output_dropout, options.dropout)),
      embedding_(register_module("embedding", embedding.is_empty()
                                                  ? MakeEmbedding(vocab, options.embedding)
                                                  : std::move(embedding))),
      attention_(register_module(
          "attention",
          MakeAttention(options.attention, memory, options.hidden, options.attention_heads))),
      attentional_(
          register_module("readout", MakeLinear(attention_->context_size() + options.hidden,
                                                attentional_size(), /*bias=*/false))) {
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    int64_t input = options.hidden;
    if (layer == 0) input = options.embedding + (options.input_feeding ? attentional_size() : 0);
    cells_.push_back(
        register_module(absl::StrCat("cell_", layer),
                        MakeCell(options.cell, input, options.hidden, options.recurrent_dropout)));
  }
  if (options.context_gate)
    gate_ = register_module("gate", MakeLinear(options.hidden, 1, /*bias=*/true));
  if (options.tied_embeddings) {
    output_weight_ = embedding_->weight;
  } else {
    output_weight_ = register_parameter("output_weight", torch::empty({vocab, attentional_size()}));
    InitializeXavier(output_weight_);
  }
  output_bias_ = register_parameter("output_bias", torch::zeros({vocab}));
}

Decoded DecoderImpl::forward(const torch::Tensor& tokens, const torch::Tensor& lengths,
                             const Memory& memory, const DecoderState& start,
                             const TeacherForcing& forcing) {
  const auto decode = [&](const torch::Tensor& fed, const torch::Tensor& predicted) -> Decoded {
    if (!is_fused()) return PlainDecode(fed, memory, start, predicted, forcing);
    return {FusedStates(fed, lengths, memory, start, predicted,
                        forcing.predicted == PredictedToken::kSample),
            {}};
  };
  if (forcing.rate >= 1.0) return decode(tokens, {});
  torch::Tensor predicted =
      forcing.Draw(tokens.size(0), tokens.size(1), tokens.device()).logical_not();
  predicted = torch::cat({torch::zeros_like(predicted.narrow(1, 0, 1)), predicted.slice(1, 1)}, 1);
  if (forcing.form == SamplingForm::kStepwise) return decode(tokens, predicted);

  torch::Tensor mixed;
  {
    const NoGradPass no_grad;
    mixed = WithPredictedTokens(tokens, decode(tokens, {}).attentional_states, predicted, forcing);
  }
  return decode(mixed, {});
}

torch::Tensor DecoderImpl::WithPredictedTokens(const torch::Tensor& tokens,
                                               const torch::Tensor& attentional_states,
                                               const torch::Tensor& predicted,
                                               const TeacherForcing& forcing) {
  torch::Tensor mixed = tokens.clone();
  torch::Tensor rest = mixed.slice(1, 1);  // The first token is always bos.
  const torch::Tensor chosen = predicted.slice(1, 1).logical_and(rest.ne(kPadId));
  const torch::Tensor rows =
      attentional_states.slice(1, 0, rest.size(1)).index({chosen});  // [row, attentional]
  constexpr int64_t kLogits = 1 << 22;
  std::vector<torch::Tensor> tokens_of_rows;
  for (const torch::Tensor& part :
       rows.split(std::max<int64_t>(kLogits / output_weight_.size(0), 1))) {
    if (part.size(0) > 0) tokens_of_rows.push_back(forcing.Choose(Preview(part)));
  }
  if (!tokens_of_rows.empty()) rest.masked_scatter_(chosen, torch::cat(tokens_of_rows));
  return mixed;
}

torch::Tensor DecoderImpl::FusedStates(const torch::Tensor& tokens, const torch::Tensor& lengths,
                                       const Memory& memory, const DecoderState& start,
                                       const torch::Tensor& predicted, bool sample) {
  const FusedDecoder decoder = {.embedding = embedding_->weight,
                                .cells = cells_,
                                .attentional = attentional_->weight,
                                .output_weight = output_weight_,
                                .output_bias = output_bias_,
                                .input_feeding = options_.input_feeding,
                                .embedding_dropout = is_training() ? embedding_dropout_ : 0,
                                .dropout = is_training() ? options_.dropout : 0};
  return FusedDecode(decoder, tokens, lengths, memory, start.cells, {predicted, sample});
}

Decoded DecoderImpl::PlainDecode(const torch::Tensor& tokens, const Memory& memory,
                                 const DecoderState& start, const torch::Tensor& predicted,
                                 const TeacherForcing& forcing) {
  const int64_t target = tokens.size(1);
  std::vector<torch::Tensor> attentional_states;
  attentional_states.reserve(static_cast<size_t>(target));
  torch::Tensor attention;
  DecoderState state = SharesMasks() ? WithMasks(start) : start;
  std::vector<torch::Tensor> projected;  // [batch, gates], one per time step.
  if (!predicted.defined()) projected = ProjectTokens(tokens.t(), state.embedding_mask).unbind(0);
  for (int64_t step = 0; step < target; ++step) {
    torch::Tensor input;
    if (predicted.defined()) {
      torch::Tensor fed = tokens.select(1, step);
      if (step > 0)
        fed = torch::where(predicted.select(1, step),
                           forcing.Choose(Preview(state.attentional_state)), fed);
      input = ProjectTokens(fed, state.embedding_mask);
    } else {
      input = projected[static_cast<size_t>(step)];
    }
    DecoderStep result = Step(input, state, memory);
    attentional_states.push_back(result.attentional_state);
    if (options_.doubly_stochastic > 0 && is_training()) {
      const torch::Tensor generated = tokens.select(1, step).ne(kPadId).unsqueeze(1);
      const torch::Tensor attended = result.attention * generated;
      attention = attention.defined() ? attention + attended : attended;
    }
    state = std::move(result.state);
  }
  return {torch::stack(attentional_states, 1), attention};
}

DecoderState DecoderImpl::WithMasks(const DecoderState& start) const {
  DecoderState state = start;
  const int64_t rows = start.attentional_state.size(0);
  state.embedding_mask =
      DropoutMask({rows, options_.embedding}, embedding_dropout_, start.attentional_state);
  for (size_t layer = 1; layer < cells_.size(); ++layer)
    state.layer_masks.push_back(
        DropoutMask({rows, options_.hidden}, options_.dropout, start.attentional_state));
  state.context_mask = DropoutMask({rows, attention_->context_size()}, options_.attention_dropout,
                                   start.attentional_state);
  return state;
}

torch::Tensor DecoderImpl::ProjectTokens(const torch::Tensor& tokens, const torch::Tensor& mask) {
  torch::Tensor embedded = embedding_(tokens);
  embedded = mask.defined() ? embedded * mask
                            : torch::dropout(embedded, embedding_dropout_, is_training());
  return cells_[0]->Project(embedded, 0);
}

DecoderStep DecoderImpl::Step(const torch::Tensor& projected, const DecoderState& state,
                              const Memory& memory) {
  DecoderStep result;
  torch::Tensor input = projected;
  if (options_.input_feeding)
    input = input + cells_[0]->Project(state.attentional_state, options_.embedding);
  for (size_t layer = 0; layer < cells_.size(); ++layer) {
    const torch::Tensor below = input;
    if (layer > 0) {
      input = state.layer_masks.empty() ? torch::dropout(input, options_.dropout, is_training())
                                        : input * state.layer_masks[layer - 1];
      input = cells_[layer]->Project(input, 0);
    }
    result.state.cells.push_back(cells_[layer](input, state.cells[layer]));
    input = result.state.cells.back().hidden;
    if (layer > 0 && options_.residual) input = input + below;
  }
  const int64_t batch = memory.values.size(0);
  const auto grouped = [batch](const torch::Tensor& rows) {
    return rows.defined() ? rows.view({batch, -1, rows.size(1)}) : rows;
  };
  const torch::Tensor past = grouped(state.attended);
  const Attended attended = attention_(grouped(input), memory, past);
  torch::Tensor context = attended.context.flatten(0, 1);  // [row, memory]
  context = state.context_mask.defined()
                ? context * state.context_mask
                : torch::dropout(context, options_.attention_dropout, is_training());
  if (options_.context_gate) context = context * torch::sigmoid(gate_(input));
  result.attentional = torch::tanh(attentional_(torch::cat({context, input}, 1)));
  result.attention = attended.weights.flatten(0, 1);
  result.state.attentional = result.attentional_state;
  const torch::Tensor attended = attention_->UpdateCoverage(attended.weights, past);
  if (attended.defined()) result.state.attended = attended.flatten(0, 1);
  result.state.embedding_mask = state.embedding_mask;
  result.state.layer_masks = state.layer_masks;
  result.state.context_mask = state.context_mask;
  return result;
}

torch::Tensor DecoderImpl::DropOutputs(const torch::Tensor& attentional_states) const {
  if (!SharesMasks()) return torch::dropout(attentional_states, output_dropout_, is_training());
  return attentional_states *
         DropoutMask({attentional_states.size(0), 1, attentional_states.size(2)}, output_dropout_,
                     attentional_states);
}

Loss DecoderImpl::ComputeLoss(const torch::Tensor& attentional_states, const Batch& batch,
                              double smoothing, double scale) {
  if (UsesKernels(output_weight_)) {
    // The kernel applies dropout itself, with a new mask for each time step.
    const bool shared = SharesMasks();
    return FusedCrossEntropy(shared ? DropOutputs(attentional_states) : attentional_states,
                             batch.target_output, output_weight_, output_bias_, smoothing, scale,
                             is_training() && !shared ? output_dropout_ : 0);
  }
  Loss loss =
      CrossEntropy(Logits(SelectTokens(DropOutputs(attentional_states), batch)), batch, smoothing);
  loss.objective = loss.objective * scale;
  return loss;
}

torch::Tensor DecoderImpl::Penalty(const Decoded& decoded, const Memory& memory) const {
  const torch::Tensor missed = (1 - decoded.attention) * memory.bias.squeeze(1).eq(0);
  return options_.doubly_stochastic * missed.pow(2).sum();
}

bool DecoderImpl::is_fused() const {
  const bool trains_by_steps = options_.doubly_stochastic > 0 || options_.variational ||
                               options_.attention_dropout > 0 || options_.recurrent_dropout > 0;
  return UsesKernels(output_weight_) && HasKernel(options_) && !(trains_by_steps && is_training());
}

torch::Tensor DecoderImpl::Preview(const torch::Tensor& attentional_state) {
  const NoGradPass no_grad;
  return torch::linear(attentional_state, output_weight_, output_bias_);
}

torch::Tensor DecoderImpl::Logits(const torch::Tensor& attentional_state,
                                  const torch::Tensor& tokens) {
  const auto of = [&](const torch::Tensor& rows) {
    return tokens.defined() ? rows.index_select(0, tokens) : rows;
  };
  return torch::linear(attentional_state, of(output_weight_), of(output_bias_));
}

}  // namespace seq2seq
