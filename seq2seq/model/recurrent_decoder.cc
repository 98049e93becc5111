#include "seq2seq/model/recurrent_decoder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/inference/dropout_rate.h"
#include "seq2seq/model/dropout.h"
#include "seq2seq/model/initialization.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/ops/decoder_op.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

const RecurrentDecoderState& StateOf(const DecoderState& state) {
  return static_cast<const RecurrentDecoderState&>(state);
}

}  // namespace

std::shared_ptr<const DecoderState> RecurrentDecoderState::Select(const torch::Tensor& sentences,
                                                                  const torch::Tensor& rows) const {
  auto selected = std::make_shared<RecurrentDecoderState>();
  selected->memory = sentences.defined() ? memory.Select(sentences) : memory;
  for (const CellState& cell : cells) selected->cells.push_back(cell.Select(rows));
  selected->attentional_state = attentional_state.index_select(0, rows);
  if (coverage.defined()) selected->coverage = coverage.index_select(0, rows);
  return selected;
}

RecurrentDecoderImpl::RecurrentDecoderImpl(const ModelOptions& model,
                                           torch::nn::Embedding embedding)
    : DecoderImpl(model.target_vocab, model.decoder, std::move(embedding)),
      options_(model.decoder),
      embedding_dropout_(DropoutOf(options_.embedding_dropout, options_.dropout)),
      attention_(
          register_module("attention", MakeAttention(options_.attention, EncodedSize(model),
                                                     options_.hidden, options_.attention_heads))),
      attentional_(register_module(
          "readout",
          MakeLinear(ContextSize(options_.attention, EncodedSize(model), options_.hidden) +
                         options_.hidden,
                     AttentionalSize(options_), /*bias=*/false))) {
  int64_t input = options_.embedding + (options_.input_feeding ? AttentionalSize(options_) : 0);
  for (int64_t layer = 0; layer < options_.layers; ++layer) {
    cells_.push_back(register_module(
        absl::StrCat("cell_", layer),
        MakeCell(options_.cell, input, options_.hidden, options_.recurrent_dropout)));
    input = options_.hidden;
  }
  if (options_.conditional) {
    context_cell_ = register_module(
        "context_cell",
        MakeCell(options_.cell,
                 ContextSize(options_.attention, EncodedSize(model), options_.hidden),
                 options_.hidden, options_.recurrent_dropout));
  }
  if (options_.context_gate)
    gate_ = register_module("gate", MakeLinear(options_.hidden, 1, /*bias=*/true));
  MakeOutputLayer(AttentionalSize(options_));
  bridge_ = Bridge(BridgeOf(model), EncodedSize(model), options_);
}

std::shared_ptr<const DecoderState> RecurrentDecoderImpl::Start(const Encoded& encoded) {
  auto state = std::make_shared<RecurrentDecoderState>();
  state->memory = attention_->Memorize(encoded);
  state->cells = bridge_(encoded);
  const torch::Tensor& hidden = state->cells[0].hidden;
  state->attentional_state = torch::zeros({hidden.size(0), AttentionalSize(options_)},
                                          hidden.options().requires_grad(false));
  return state;
}

Decoded RecurrentDecoderImpl::forward(const torch::Tensor& tokens, const torch::Tensor& lengths,
                                      const DecoderState& start, const TeacherForcing& forcing,
                                      bool with_attention) {
  const RecurrentDecoderState& state = StateOf(start);
  const auto decode = [&](const torch::Tensor& fed, const torch::Tensor& predicted,
                          bool attention) -> Decoded {
    if (!is_fused()) return PlainDecode(fed, state, predicted, forcing, attention);
    return FusedDecode(fed, lengths, state, predicted, forcing, attention);
  };
  const torch::Tensor predicted = DrawPredicted(tokens, forcing);
  if (!predicted.defined() || forcing.form == SamplingForm::kStepwise)
    return decode(tokens, predicted, with_attention);

  torch::Tensor mixed;
  {
    const NoGradPass no_grad;
    mixed = WithPredictedTokens(tokens, decode(tokens, {}, /*attention=*/false).outputs, predicted,
                                forcing);
  }
  return decode(mixed, {}, with_attention);
}

Decoded RecurrentDecoderImpl::FusedDecode(const torch::Tensor& tokens, const torch::Tensor& lengths,
                                          const RecurrentDecoderState& start,
                                          const torch::Tensor& predicted,
                                          const TeacherForcing& forcing,
                                          bool with_attention) const {
  const AdditiveParameters additive = attention_->additive();
  std::vector<Cell> cells = cells_;
  if (options_.conditional) cells.push_back(context_cell_);
  const FusedDecoder decoder = {.embedding = embedding_->weight,
                                .cells = ParametersOf(cells),
                                .attentional = attentional_->weight,
                                .query = additive.query,
                                .energy = additive.energy,
                                .coverage = additive.coverage,
                                .output_weight = output_weight_,
                                .output_bias = output_bias_,
                                .input_feeding = options_.input_feeding,
                                .conditional = options_.conditional,
                                .embedding_dropout = is_training() ? embedding_dropout_ : 0,
                                .dropout = is_training() ? options_.dropout : 0};
  const FusedDecoded fused = seq2seq::FusedDecode(
      decoder, tokens, lengths, {start.memory.keys, start.memory.values, start.memory.lengths},
      start.cells, {predicted, forcing.predicted == PredictedToken::kSample}, with_attention);
  Decoded decoded = {fused.attentional_states, {}, {}};
  if (with_attention) decoded.log_attention = LogAttention(fused.attention);
  return decoded;
}

Decoded RecurrentDecoderImpl::PlainDecode(const torch::Tensor& tokens,
                                          const RecurrentDecoderState& start,
                                          const torch::Tensor& predicted,
                                          const TeacherForcing& forcing, bool with_attention) {
  const int64_t target = tokens.size(1);
  std::vector<torch::Tensor> outputs;
  outputs.reserve(static_cast<size_t>(target));
  const bool penalised = options_.doubly_stochastic > 0 && is_training();
  torch::Tensor attended;  // [batch, source], attention weights summed over the time steps.
  std::vector<torch::Tensor> attentions;  // [batch, source], one per time step.
  RecurrentDecoderState state = SharesMasks() ? WithMasks(start) : start;
  std::vector<torch::Tensor> projected;  // [batch, gates], one per time step.
  if (!predicted.defined()) projected = ProjectTokens(tokens.t(), state.embedding_mask).unbind(0);
  for (int64_t step = 0; step < target; ++step) {
    torch::Tensor input;
    if (predicted.defined()) {
      torch::Tensor fed = tokens.select(1, step);
      if (step > 0) {
        fed = torch::where(predicted.select(1, step),
                           forcing.Choose(Preview(state.attentional_state)), fed);
      }
      input = ProjectTokens(fed, state.embedding_mask);
    } else {
      input = projected[static_cast<size_t>(step)];
    }
    torch::Tensor attention;
    state = Advance(input, state, attention);
    outputs.push_back(state.attentional_state);
    if (with_attention) attentions.push_back(attention);
    if (penalised) {
      const torch::Tensor counted =
          attention * tokens.select(1, step).ne(kPadId).unsqueeze(1);  // Not at padding.
      attended = attended.defined() ? attended + counted : counted;
    }
  }
  return {torch::stack(outputs, 1), penalised ? Penalty(attended, start.memory) : torch::Tensor(),
          with_attention ? LogAttention(torch::stack(attentions, 1)) : torch::Tensor()};
}

RecurrentDecoderState RecurrentDecoderImpl::WithMasks(const RecurrentDecoderState& start) const {
  RecurrentDecoderState state = start;
  const torch::Tensor& like = start.attentional_state;
  const int64_t rows = like.size(0);
  state.embedding_mask = DropoutMask({rows, options_.embedding}, embedding_dropout_, like);
  for (size_t layer = 1; layer < cells_.size(); ++layer)
    state.layer_masks.push_back(DropoutMask({rows, options_.hidden}, options_.dropout, like));
  state.context_mask =
      DropoutMask({rows, start.memory.values.size(2)}, options_.attention_dropout, like);
  return state;
}

torch::Tensor RecurrentDecoderImpl::ProjectTokens(const torch::Tensor& tokens,
                                                  const torch::Tensor& mask) {
  torch::Tensor embedded = embedding_(tokens);
  embedded = mask.defined() ? embedded * mask
                            : torch::dropout(embedded, embedding_dropout_, is_training());
  return cells_[0]->Project(embedded, 0);
}

DecoderStep RecurrentDecoderImpl::Step(const torch::Tensor& tokens, const DecoderState& state) {
  const RecurrentDecoderState& before = StateOf(state);
  DecoderStep step;
  auto after = std::make_shared<RecurrentDecoderState>(
      Advance(ProjectTokens(tokens, before.embedding_mask), before, step.attention));
  step.output = after->attentional_state;
  step.state = std::move(after);
  return step;
}

torch::Tensor RecurrentDecoderImpl::RunCells(const torch::Tensor& projected,
                                             const RecurrentDecoderState& state,
                                             std::vector<CellState>& cells) {
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
    cells.push_back(cells_[layer](input, state.cells[layer]));
    input = cells.back().hidden;
    if (layer > 0 && options_.residual) input = input + below;
  }
  return input;
}

RecurrentDecoderState RecurrentDecoderImpl::Advance(const torch::Tensor& projected,
                                                    const RecurrentDecoderState& state,
                                                    torch::Tensor& attention) {
  RecurrentDecoderState next;
  next.memory = state.memory;
  next.embedding_mask = state.embedding_mask;
  next.layer_masks = state.layer_masks;
  next.context_mask = state.context_mask;
  const torch::Tensor hidden = RunCells(projected, state, next.cells);

  const int64_t batch = state.memory.values.size(0);
  const auto grouped = [batch](const torch::Tensor& rows) {
    return rows.defined() ? rows.view({batch, -1, rows.size(1)}) : rows;
  };
  const torch::Tensor coverage = grouped(state.coverage);
  const Attended attended = attention_(grouped(hidden), state.memory, coverage);
  torch::Tensor context = attended.context.flatten(0, 1);  // [row, context]
  context = state.context_mask.defined()
                ? context * state.context_mask
                : torch::dropout(context, options_.attention_dropout, is_training());
  if (options_.context_gate) context = context * torch::sigmoid(gate_(hidden));
  torch::Tensor combined = hidden;
  if (options_.conditional) {
    CellState& last = next.cells.back();
    last = context_cell_(context_cell_->Project(context, 0), last);
    combined = last.hidden;
  }
  next.attentional_state = torch::tanh(attentional_(torch::cat({context, combined}, 1)));
  attention = attended.weights.flatten(0, 1);
  const torch::Tensor updated = attention_->UpdateCoverage(attended.weights, coverage);
  if (updated.defined()) next.coverage = updated.flatten(0, 1);
  return next;
}

torch::Tensor RecurrentDecoderImpl::Penalty(const torch::Tensor& attention,
                                            const Memory& memory) const {
  const torch::Tensor missed = (1 - attention) * memory.bias.squeeze(1).eq(0);
  return options_.doubly_stochastic * missed.pow(2).sum();
}

bool RecurrentDecoderImpl::is_fused() const {
  const bool trains_by_steps = options_.doubly_stochastic > 0 || options_.variational ||
                               options_.attention_dropout > 0 || options_.recurrent_dropout > 0;
  return UsesKernels(output_weight_) && HasTrainingKernel(options_) &&
         !(trains_by_steps && is_training());
}

}  // namespace seq2seq
