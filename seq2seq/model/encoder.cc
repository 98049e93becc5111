#include "seq2seq/model/encoder.h"

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/model/initialization.h"

namespace seq2seq {
namespace {

// Where each place of a sequence goes when the tokens, but not the padding behind them, change
// their order: indices into [source x batch], [source x batch]. Applied twice it restores.
torch::Tensor ReversalIndex(const torch::Tensor& lengths, int64_t source) {
  const torch::Tensor time = torch::arange(source).unsqueeze(1);  // [source, 1]
  const torch::Tensor mirrored = lengths - 1 - time;              // [source, batch]
  const torch::Tensor row = torch::where(mirrored >= 0, mirrored, time);
  return (row * lengths.size(0) + torch::arange(lengths.size(0))).flatten();
}

// `sequence`, [source, batch, size], in the order of ReversalIndex.
torch::Tensor Reorder(const torch::Tensor& sequence, const torch::Tensor& index) {
  return sequence.flatten(0, 1).index_select(0, index).view_as(sequence);
}

// The outputs of a cell over a sequence: [source, batch, input] -> [source, batch, hidden].
torch::Tensor Run(Cell& cell, const torch::Tensor& input) {
  std::vector<torch::Tensor> outputs;
  outputs.reserve(static_cast<size_t>(input.size(0)));
  CellState state = cell->InitialState(input.size(1));
  for (const torch::Tensor& projected : cell->Project(input, 0).unbind(0)) {
    state = cell(projected, state);
    outputs.push_back(state.hidden);
  }
  return torch::stack(outputs);
}

}  // namespace

BidirectionalEncoderImpl::BidirectionalEncoderImpl(int64_t vocab, const EncoderOptions& options)
    : options_(options),
      embedding_(register_module("embedding", MakeEmbedding(vocab, options.embedding))) {
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    const int64_t input = layer == 0 ? options.embedding : 2 * options.hidden;
    forward_cells_.push_back(register_module(absl::StrCat("forward_", layer),
                                             MakeCell(options.cell, input, options.hidden)));
    backward_cells_.push_back(register_module(absl::StrCat("backward_", layer),
                                              MakeCell(options.cell, input, options.hidden)));
  }
}

Encoded BidirectionalEncoderImpl::forward(const torch::Tensor& tokens,
                                          const torch::Tensor& lengths) {
  const int64_t source = tokens.size(1);
  const torch::Device device = tokens.device();
  const torch::Tensor reversal = ReversalIndex(lengths, source).to(device);
  const torch::Tensor mask = (torch::arange(source) < lengths.unsqueeze(1)).to(device);

  torch::Tensor states = embedding_(tokens.t());  // [source, batch, embedding]
  torch::Tensor ahead;                            // [source, batch, hidden], read from the left.
  torch::Tensor back;                             // [source, batch, hidden], read from the right.
  for (size_t layer = 0; layer < forward_cells_.size(); ++layer) {
    states = torch::dropout(states, options_.dropout, is_training());
    // Turning the tokens alone keeps padding behind them for both cells: no step needs a mask.
    ahead = Run(forward_cells_[layer], states);
    back = Reorder(Run(backward_cells_[layer], Reorder(states, reversal)), reversal);
    states = torch::cat({ahead, back}, 2);
  }
  const torch::Tensor last =
      (lengths - 1).to(device) * tokens.size(0) + torch::arange(tokens.size(0), device);
  const torch::Tensor final = torch::cat({ahead.flatten(0, 1).index_select(0, last), back[0]}, 1);
  return {states.transpose(0, 1) * mask.unsqueeze(2), mask, final};
}

Encoder MakeEncoder(int64_t vocab, const EncoderOptions& options) {
  return Encoder(
      std::shared_ptr<EncoderImpl>(std::make_shared<BidirectionalEncoderImpl>(vocab, options)));
}

}  // namespace seq2seq
