#include "seq2seq/model/recurrent_encoder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/profile.h"
#include "seq2seq/inference/dropout_rate.h"
#include "seq2seq/model/dropout.h"
#include "seq2seq/model/initialization.h"
#include "seq2seq/ops/recurrent_ops.h"
#include "seq2seq/ops/sequence_ops.h"

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

RecurrentEncoderImpl::RecurrentEncoderImpl(int64_t vocab, const EncoderOptions& options,
                                           torch::nn::Embedding embedding, bool with_layers)
    : options_(options), with_layers_(with_layers), embedding_(std::move(embedding)) {
  if (embedding_.is_empty())
    embedding_ = register_module("embedding", MakeEmbedding(vocab, options.embedding));
  int64_t input = options.embedding;
  for (int64_t number = 0; number < options.layers; ++number) {
    const bool both = IsBidirectional(options, number);
    Layer layer;
    for (const char* name : {"forward_", "backward_"}) {
      if (!both && !layer.cells.empty()) continue;
      layer.cells.push_back(register_module(
          absl::StrCat(name, number),
          MakeCell(options.cell, input, options.hidden, options.recurrent_dropout)));
    }
    layer.residual = AddsInput(options, number, input);
    layer.sums = SumsDirections(options, number);
    layers_.push_back(std::move(layer));
    input = LayerSize(options, number);
  }
}

bool RecurrentEncoderImpl::is_fused() const {
  return layers_[0].cells[0]->is_fused() && !(options_.variational && is_training());
}

std::string RecurrentEncoderImpl::DescribePath() const {
  return is_fused() ? "fused encoder" : "encoder step by step";
}

Encoded RecurrentEncoderImpl::forward(const Batch& batch) {
  const torch::Tensor& lengths = batch.source_lengths;
  const torch::Tensor tokens =
      is_training() ? DropWords(batch.source, options_.word_dropout) : batch.source;
  const Outputs outputs = is_fused() ? RunFused(tokens, lengths) : RunPlain(tokens, lengths);
  return {Merge(outputs.last, layers_.back()), lengths, outputs.final, outputs.layers};
}

torch::Tensor RecurrentEncoderImpl::FinalOf(const torch::Tensor& states, const SequenceEnds& ends,
                                            const Layer& layer) const {
  const int64_t hidden = options_.hidden;
  torch::Tensor final = states.narrow(1, 0, hidden).index_select(0, ends.last);
  if (layer.cells.size() > 1) {
    const torch::Tensor back = states.narrow(1, hidden, hidden).index_select(0, ends.first);
    final = torch::cat({final, back}, 1);
  }
  return Merge(final, layer);
}

CellState RecurrentEncoderImpl::FinalOf(const CellState& states, const SequenceEnds& ends,
                                        const Layer& layer) const {
  const auto of = [&](const torch::Tensor& all) {
    return all.defined() ? FinalOf(all, ends, layer) : all;
  };
  return {of(states.hidden), of(states.cell_state)};
}

torch::Tensor RecurrentEncoderImpl::Merge(const torch::Tensor& outputs, const Layer& layer) const {
  if (!layer.sums) return outputs;
  return outputs.narrow(-1, 0, options_.hidden) +
         outputs.narrow(-1, options_.hidden, options_.hidden);
}

torch::Tensor RecurrentEncoderImpl::WithInput(const torch::Tensor& outputs,
                                              const torch::Tensor& input,
                                              const Layer& layer) const {
  if (!layer.residual) return outputs;
  if (!layer.sums) return outputs + input;
  // To the forward cell's.
  return torch::cat({outputs.narrow(-1, 0, options_.hidden) + input,
                     outputs.narrow(-1, options_.hidden, options_.hidden)},
                    -1);
}

RecurrentEncoderImpl::Outputs RecurrentEncoderImpl::RunFused(const torch::Tensor& tokens,
                                                             const torch::Tensor& lengths) {
  const double dropout = is_training() ? options_.dropout : 0;
  const auto steps = PackSequence(lengths, CellsSideBySide(options_));
  torch::Tensor states =
      FusedEmbedding(embedding_->weight, tokens, steps,
                     is_training() ? DropoutOf(options_.embedding_dropout, options_.dropout) : 0);
  const SequenceEnds ends = EndsOf(*steps, tokens.size(0));
  std::vector<CellState> layers;
  for (size_t number = 0; number < layers_.size(); ++number) {
    const Layer& layer = layers_[number];
    if (number > 0) states = Merge(states, layers_[number - 1]);
    const torch::Tensor inputs = number > 0 ? FusedDropout(states, dropout) : states;
    const CellState outputs =
        FusedLayer(ParametersOf(layer.cells), inputs, steps, kEncoderPhases, with_layers_);
    if (with_layers_) layers.push_back(FinalOf(outputs, ends, layer));
    states = WithInput(outputs.hidden, states, layer);
  }
  return {PadRows(states, steps, tokens.size(1)), FinalOf(states, ends, layers_.back()), layers};
}

RecurrentEncoderImpl::Outputs RecurrentEncoderImpl::RunPlain(const torch::Tensor& tokens,
                                                             const torch::Tensor& lengths) {
  const int64_t source = tokens.size(1);
  const torch::Device device = tokens.device();
  const torch::Tensor reversal = ReversalIndex(lengths, source).to(device);
  const torch::Tensor mask = (torch::arange(source) < lengths.unsqueeze(1)).to(device);
  const int64_t batch = tokens.size(0);
  const torch::Tensor first = torch::arange(batch);
  const SequenceEnds ends = {first.to(device), (first + (lengths - 1) * batch).to(device)};

  const auto rows_of = [](const CellState& all) -> CellState {
    return {all.hidden.flatten(0, 1),
            all.cell_state.defined() ? all.cell_state.flatten(0, 1) : all.cell_state};
  };
  torch::Tensor states = embedding_(tokens.t());  // [source, batch, embedding]
  double dropout = DropoutOf(options_.embedding_dropout, options_.dropout);
  std::vector<CellState> layers;
  for (size_t number = 0; number < layers_.size(); ++number) {
    Layer& layer = layers_[number];
    if (number > 0) states = Merge(states, layers_[number - 1]);
    const torch::Tensor inputs =
        DropoutSequence(states, dropout, options_.variational, is_training());
    dropout = options_.dropout;
    CellState outputs = RunCell(layer.cells[0], inputs, with_layers_);  // [source, batch, hidden]
    if (layer.cells.size() > 1) {
      // Reversing the tokens alone keeps padding at the end for both cells: no time step needs a
      // mask.
      const CellState back = RunCell(layer.cells[1], Reorder(inputs, reversal), with_layers_);
      outputs.hidden = torch::cat({outputs.hidden, Reorder(back.hidden, reversal)}, 2);
      if (back.cell_state.defined()) {
        outputs.cell_state =
            torch::cat({outputs.cell_state, Reorder(back.cell_state, reversal)}, 2);
      }
    }
    if (with_layers_) layers.push_back(FinalOf(rows_of(outputs), ends, layer));
    states = WithInput(outputs.hidden, states, layer);
  }
  return {states.transpose(0, 1) * mask.unsqueeze(2),
          FinalOf(states.flatten(0, 1), ends, layers_.back()), layers};
}

}  // namespace seq2seq
