#include "seq2seq/model/transformer_decoder.h"

#include <utility>

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

torch::Tensor TransformerDecoderImpl::FusedDecode(const torch::Tensor& tokens,
                                                  const torch::Tensor& lengths,
                                                  const Encoded& encoded) {
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
  for (TransformerDecoderLayer& layer : layers_) x = layer->ForwardRows(x, layout, memory, source);
  return PadRows(NormalizeLast(norm_, x, kDecoderPhases), layout.rows, tokens.size(1));
}

Decoded TransformerDecoderImpl::forward(const torch::Tensor& tokens, const torch::Tensor& lengths,
                                        const DecoderState& start, const TeacherForcing& forcing) {
  const PhaseTimer timer(Phase::kDecoderForward);
  const auto& state = static_cast<const TransformerDecoderState&>(start);
  const auto decode = [&](const torch::Tensor& fed) {
    if (is_fused()) return FusedDecode(fed, lengths, state.encoded);
    TransformerDecoderState from = state;
    return Advance(fed, from, /*weights=*/nullptr);
  };
  const torch::Tensor predicted = DrawPredicted(tokens, forcing);
  if (!predicted.defined()) return {decode(tokens), {}};
  if (forcing.form == SamplingForm::kStepwise)
    return {DecodeStepwise(tokens, predicted, state, forcing), {}};
  torch::Tensor mixed;
  {
    const NoGradPass no_grad;
    mixed = WithPredictedTokens(tokens, decode(tokens), predicted, forcing);
  }
  return {decode(mixed), {}};
}

torch::Tensor TransformerDecoderImpl::DecodeStepwise(const torch::Tensor& tokens,
                                                     const torch::Tensor& predicted,
                                                     TransformerDecoderState state,
                                                     const TeacherForcing& forcing) {
  std::vector<torch::Tensor> outputs;
  for (int64_t step = 0; step < tokens.size(1); ++step) {
    torch::Tensor fed = tokens.select(1, step);
    if (step > 0) {
      fed = torch::where(predicted.select(1, step),
                         forcing.Choose(Preview(outputs.back().select(1, 0))), fed);
    }
    outputs.push_back(Advance(fed.unsqueeze(1), state, /*weights=*/nullptr));
  }
  return torch::cat(outputs, 1);
}

DecoderStep TransformerDecoderImpl::Step(const torch::Tensor& tokens, const DecoderState& state) {
  auto after =
      std::make_shared<TransformerDecoderState>(static_cast<const TransformerDecoderState&>(state));
  DecoderStep step;
  torch::Tensor weights;  // [sentence, heads, rows of a sentence, source]
  step.output = Advance(tokens.unsqueeze(1), *after, &weights).select(1, 0);
  step.attention = has_attention_ ? weights.mean(1).flatten(0, 1)
                                  : torch::zeros({tokens.size(0), after->encoded.values.size(1)},
                                                 step.output.options().requires_grad(false));
  step.state = std::move(after);
  return step;
}

}  // namespace seq2seq
