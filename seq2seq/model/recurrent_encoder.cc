#include "seq2seq/model/recurrent_encoder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/option_rules.h"
#include "seq2seq/model/dropout.h"
#include "seq2seq/ops/recurrent_ops.h"
#include "seq2seq/ops/sequence_ops.h"
#include "seq2seq/model/initialization.h"

namespace seq2seq {
namespace {

// Indices that reverse the tokens of each sequence but leave padding in its position: [source x
// batch], into [source x batch]. A permutation that is its own inverse.
torch::Tensor ReversalIndex(const torch::Tensor& lengths, int64_t source) {
  const torch::Tensor time = torch::arange(source).unsqueeze(1);  // [source, 1]
  const torch::Tensor mirrored = lengths - 1 - time;              // [source, batch]
  const torch::Tensor row = torch::where(mirrored >= 0, mirrored, time);
  return (row * lengths.size(0) + torch::arange(lengths.size(0))).flatten();
}

// `sequence`, [source, batch, size], permuted by ReversalIndex.
torch::Tensor Reorder(const torch::Tensor& sequence, const torch::Tensor& index) {
  return sequence.flatten(0, 1).index_select(0, index).view_as(sequence);
}

}  // namespace

absl::Status Validate(const EncoderOptions& options) {
  OptionRules rules;
  rules.ExpectSize("model.encoder.embedding", options.embedding);
  rules.ExpectSize("model.encoder.hidden", options.hidden);
  rules.ExpectSize("model.encoder.layers", options.layers);
  rules.ExpectShare("model.encoder.dropout", options.dropout);
  rules.ExpectShare("model.encoder.embedding_dropout",
                    DropoutOf(options.embedding_dropout, options.dropout));
  rules.ExpectShare("model.encoder.recurrent_dropout", options.recurrent_dropout);
  rules.Expect("model.encoder.recurrent_dropout", options.recurrent_dropout,
               options.recurrent_dropout == 0 || HasGates(options.cell),
               "0 for cells without gates");
  rules.ExpectShare("model.encoder.word_dropout", options.word_dropout);
  return rules.status();
}

int64_t OutputSize(const EncoderOptions& options) {
  return (IsBidirectional(options, options.layers - 1) ? 2 : 1) * options.hidden;
}

bool IsBidirectional(const EncoderOptions& options, int64_t layer) {
  return options.directions == Directions::kBidirectional ||
         (options.directions == Directions::kLowest && layer == 0);
}

bool AddsInput(const EncoderOptions& options, int64_t layer, int64_t input) {
  const int64_t output = (IsBidirectional(options, layer) ? 2 : 1) * options.hidden;
  return options.residual && layer > 0 && input == output;
}

int64_t CellsSideBySide(const EncoderOptions& options) {
  return options.directions == Directions::kBidirectional ? 2 : 1;
}

RecurrentEncoderImpl::RecurrentEncoderImpl(int64_t vocab, const EncoderOptions& options,
                                           torch::nn::Embedding embedding)
    : options_(options), embedding_(std::move(embedding)) {
  if (embedding_.is_empty())
    embedding_ = register_module("embedding", MakeEmbedding(vocab, options.embedding));
  int64_t input = options.embedding;
  for (int64_t number = 0; number < options.layers; ++number) {
    const bool both = IsBidirectional(options, number);
    const int64_t output = (both ? 2 : 1) * options.hidden;
    Layer layer;
    for (const char* name : {"forward_", "backward_"}) {
      if (!both && !layer.cells.empty()) continue;
      layer.cells.push_back(register_module(
          absl::StrCat(name, number),
          MakeCell(options.cell, input, options.hidden, options.recurrent_dropout)));
    }
    layer.residual = AddsInput(options, number, input);
    layers_.push_back(std::move(layer));
    input = output;
  }
}

bool RecurrentEncoderImpl::is_fused() const {
  return layers_[0].cells[0]->is_fused() && !(options_.variational && is_training());
}

Encoded RecurrentEncoderImpl::forward(const torch::Tensor& tokens, const torch::Tensor& lengths) {
  const torch::Tensor states =
      is_fused() ? FusedStates(tokens, lengths) : PlainStates(tokens, lengths);
  const torch::Device device = tokens.device();
  const torch::Tensor mask =
      (torch::arange(tokens.size(1)) < lengths.unsqueeze(1)).to(device);  // [batch, source]
  const auto last = (torch::arange(tokens.size(0)) * tokens.size(1) + lengths - 1).to(device);
  const int64_t hidden = options_.hidden;
  torch::Tensor final =
      states.narrow(2, 0, hidden).flatten(0, 1).index_select(0, last);  // [batch, hidden]
  if (layers_.back().cells.size() > 1)
    final = torch::cat({final, states.select(1, 0).narrow(1, hidden, hidden)}, 1);
  return {states, mask, final};
}

torch::Tensor RecurrentEncoderImpl::FusedStates(const torch::Tensor& tokens,
                                                const torch::Tensor& lengths) {
  const double dropout = is_training() ? options_.dropout : 0;
  const auto steps = PackSequence(lengths, CellsSideBySide(options_));
  torch::Tensor states =
      FusedEmbedding(embedding_->weight, tokens, steps,
                     is_training() ? DropoutOf(options_.embedding_dropout, options_.dropout) : 0);
  for (size_t number = 0; number < layers_.size(); ++number) {
    const Layer& layer = layers_[number];
    const torch::Tensor inputs = number > 0 ? FusedDropout(states, dropout) : states;
    const torch::Tensor outputs = FusedLayer(layer.cells, inputs, steps);
    states = layer.residual ? states + outputs : outputs;
  }
  return PadRows(states, steps, tokens.size(1));
}

torch::Tensor RecurrentEncoderImpl::PlainStates(const torch::Tensor& tokens,
                                                const torch::Tensor& lengths) {
  const int64_t source = tokens.size(1);
  const torch::Device device = tokens.device();
  const torch::Tensor reversal = ReversalIndex(lengths, source).to(device);
  const torch::Tensor mask = (torch::arange(source) < lengths.unsqueeze(1)).to(device);

  torch::Tensor states = embedding_(tokens.t());  // [source, batch, embedding]
  double dropout = DropoutOf(options_.embedding_dropout, options_.dropout);
  for (Layer& layer : layers_) {
    const torch::Tensor inputs =
        DropoutSequence(states, dropout, options_.variational, is_training());
    dropout = options_.dropout;
    torch::Tensor outputs = RunCell(layer.cells[0], inputs);  // [source, batch, hidden]
    if (layer.cells.size() > 1) {
      // Reversing the tokens alone keeps padding at the end for both cells: no time step needs a
      // mask.
      const torch::Tensor back =
          Reorder(RunCell(layer.cells[1], Reorder(inputs, reversal)), reversal);
      outputs = torch::cat({outputs, back}, 2);
    }
    states = layer.residual ? states + outputs : outputs;
  }
  return states.transpose(0, 1) * mask.unsqueeze(2);
}

Encoder MakeEncoder(int64_t vocab, const EncoderOptions& options, torch::nn::Embedding embedding) {
  return Encoder(std::shared_ptr<EncoderImpl>(
      std::make_shared<RecurrentEncoderImpl>(vocab, options, std::move(embedding))));
}

}  // namespace seq2seq
