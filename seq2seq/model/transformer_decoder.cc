#include "seq2seq/model/transformer_decoder.h"

#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/profile.h"
#include "seq2seq/inference/dropout_rate.h"
#include "seq2seq/model/initialization.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/ops/sequence_ops.h"

namespace seq2seq {

std::shared_ptr<const DecoderState> TransformerDecoderState::Select(
    const torch::Tensor& selected_sentences, const torch::Tensor& rows) const {
  auto selected = std::make_shared<TransformerDecoderState>(*this);
  if (selected_sentences.defined()) {
    selected->encoded = {encoded.values.index_select(0, selected_sentences),
                         encoded.lengths.index_select(0, selected_sentences.to(torch::kCPU)),
                         encoded.final.index_select(0, selected_sentences)};
    for (KeysValues& layer : selected->memory) layer = layer.Select(selected_sentences);
    if (bias.defined()) selected->bias = bias.index_select(0, selected_sentences);
  }
  for (TransformerLayerState& layer : selected->layers) layer = layer.Select(rows);
  return selected;
}

TransformerDecoderImpl::TransformerDecoderImpl(const ModelOptions& model,
                                               torch::nn::Embedding embedding)
    : DecoderImpl(model.target_vocab, model.decoder, std::move(embedding)),
      options_(model.decoder),
      has_attention_(HasAttention(model)) {
  const int64_t hidden = options_.hidden;
  if (options_.transformer.positions == PositionKind::kLearned)
    positions_ = register_parameter("positions", MakePositions(options_.transformer, hidden));
  for (int64_t number = 0; number < options_.layers; ++number) {
    layers_.push_back(register_module(
        absl::StrCat("layer_", number),
        TransformerDecoderLayer(has_attention_ ? EncodedSize(model) : 0, options_)));
  }
  if (options_.transformer.norm == NormPlacement::kPre) {
    norm_ = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({hidden})));
  }
  MakeOutputLayer(hidden);
}

std::shared_ptr<const DecoderState> TransformerDecoderImpl::Start(const Encoded& encoded) {
  auto state = std::make_shared<TransformerDecoderState>();
  state->encoded = encoded;
  state->layers.resize(layers_.size());
  return state;
}

torch::Tensor TransformerDecoderImpl::Advance(const torch::Tensor& tokens,
                                              TransformerDecoderState& state,
                                              torch::Tensor* weights) {
  if (has_attention_ && state.memory.empty()) {
    state.bias = PaddingBias(state.encoded.Mask(), state.encoded.values);
    for (const TransformerDecoderLayer& layer : layers_)
      state.memory.push_back(layer->Memorize(state.encoded.values));
  }
  torch::Tensor x =
      torch::dropout(AddPositions(embedding_(tokens), state.time, options_.transformer, positions_),
                     DropoutOf(options_.embedding_dropout, options_.dropout), is_training());
  for (size_t number = 0; number < layers_.size(); ++number) {
    TransformerMemory memory;
    if (has_attention_) memory = {state.memory[number], state.bias, nullptr};
    if (number + 1 == layers_.size()) memory.weights = weights;
    x = layers_[number](x, state.layers[number], memory);
  }
  state.time += tokens.size(1);
  return NormalizeLast(norm_, x, kDecoderPhases);
}

torch::Tensor TransformerDecoderImpl::OfHeads(const torch::Tensor& weights) const {
  return options_.aligned_head ? weights.select(1, 0) : weights.mean(1);
}

Decoded TransformerDecoderImpl::FusedDecode(const torch::Tensor& tokens,
                                            const torch::Tensor& lengths, const Encoded& encoded,
                                            bool with_attention) {
  const RowLayout layout = LayOutRows(lengths, options_.hidden, options_.transformer);
  RowLayout source;
  torch::Tensor memory;
  if (has_attention_) {
    source.rows = MakeSequenceRows(encoded.lengths);
    memory = PackRows(encoded.values, source.rows);
  }
  torch::Tensor x =
      EmbedRows(tokens, embedding_->weight, layout, options_.transformer, positions_,
                is_training() ? DropoutOf(options_.embedding_dropout, options_.dropout) : 0);
  AttendedRows attended;
  for (TransformerDecoderLayer& layer : layers_)
    x = layer->ForwardRows(x, layout, memory, source, with_attention ? &attended : nullptr);
  const auto pad = [](const torch::Tensor& rows, const RowLayout& rows_layout, int64_t time) {
    return PadRows(rows, rows_layout.rows, time);
  };
  Decoded decoded = {pad(NormalizeLast(norm_, x, kDecoderPhases), layout, tokens.size(1)), {}, {}};
  if (with_attention) {
    const int64_t heads = options_.transformer.heads;
    const auto split = [&](const torch::Tensor& values) {  // [batch, heads, time, size]
      return values.view({values.size(0), values.size(1), heads, -1}).transpose(1, 2);
    };
    const torch::Tensor queries = split(pad(attended.queries, layout, tokens.size(1)));
    const torch::Tensor keys = split(pad(attended.keys, source, encoded.values.size(1)));
    const double scale = 1 / std::sqrt(static_cast<double>(options_.hidden / heads));
    const torch::Tensor scores = torch::matmul(queries * scale, keys.transpose(2, 3)) +
                                 PaddingBias(encoded.Mask(), encoded.values);
    decoded.log_attention = options_.aligned_head
                                ? torch::log_softmax(scores.select(1, 0), -1)
                                : LogAttention(OfHeads(torch::softmax(scores, -1)));
  }
  return decoded;
}

Decoded TransformerDecoderImpl::forward(const torch::Tensor& tokens, const torch::Tensor& lengths,
                                        const DecoderState& start, const TeacherForcing& forcing,
                                        bool with_attention) {
  const PhaseTimer timer(Phase::kDecoderForward);
  const auto& state = static_cast<const TransformerDecoderState&>(start);
  const auto decode = [&](const torch::Tensor& fed, bool attention) -> Decoded {
    if (is_fused()) return FusedDecode(fed, lengths, state.encoded, attention);
    TransformerDecoderState from = state;
    torch::Tensor weights;
    Decoded decoded = {Advance(fed, from, attention ? &weights : nullptr), {}, {}};
    if (attention) decoded.log_attention = LogAttention(OfHeads(weights));
    return decoded;
  };
  const torch::Tensor predicted = DrawPredicted(tokens, forcing);
  if (!predicted.defined()) return decode(tokens, with_attention);
  if (forcing.form == SamplingForm::kStepwise)
    return DecodeStepwise(tokens, predicted, state, forcing, with_attention);
  torch::Tensor mixed;
  {
    const NoGradPass no_grad;
    mixed = WithPredictedTokens(tokens, decode(tokens, /*attention=*/false).outputs, predicted,
                                forcing);
  }
  return decode(mixed, with_attention);
}

Decoded TransformerDecoderImpl::DecodeStepwise(const torch::Tensor& tokens,
                                               const torch::Tensor& predicted,
                                               TransformerDecoderState state,
                                               const TeacherForcing& forcing, bool with_attention) {
  std::vector<torch::Tensor> outputs, attentions;
  for (int64_t step = 0; step < tokens.size(1); ++step) {
    torch::Tensor fed = tokens.select(1, step);
    if (step > 0) {
      fed = torch::where(predicted.select(1, step),
                         forcing.Choose(Preview(outputs.back().select(1, 0))), fed);
    }
    torch::Tensor weights;
    outputs.push_back(Advance(fed.unsqueeze(1), state, with_attention ? &weights : nullptr));
    if (with_attention) attentions.push_back(OfHeads(weights));
  }
  return {torch::cat(outputs, 1),
          {},
          with_attention ? LogAttention(torch::cat(attentions, 1)) : torch::Tensor()};
}

DecoderStep TransformerDecoderImpl::Step(const torch::Tensor& tokens, const DecoderState& state) {
  auto after =
      std::make_shared<TransformerDecoderState>(static_cast<const TransformerDecoderState&>(state));
  DecoderStep step;
  torch::Tensor weights;  // [sentence, heads, rows of a sentence, source]
  step.output = Advance(tokens.unsqueeze(1), *after, &weights).select(1, 0);
  step.attention = has_attention_ ? OfHeads(weights).flatten(0, 1)
                                  : torch::zeros({tokens.size(0), after->encoded.values.size(1)},
                                                 step.output.options().requires_grad(false));
  step.state = std::move(after);
  return step;
}

}  // namespace seq2seq
