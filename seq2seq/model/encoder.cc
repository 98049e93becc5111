#include "seq2seq/model/encoder.h"

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/model/compute.h"
#include "seq2seq/model/fused_layer.h"
#include "seq2seq/model/fused_rows.h"
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
  const torch::Tensor states =
      UsesKernels(embedding_->weight) ? FusedStates(tokens, lengths) : PlainStates(tokens, lengths);
  const torch::Device device = tokens.device();
  const torch::Tensor mask =
      (torch::arange(tokens.size(1)) < lengths.unsqueeze(1)).to(device);  // [batch, source]
  const auto last = (torch::arange(tokens.size(0)) * tokens.size(1) + lengths - 1).to(device);
  const int64_t hidden = options_.hidden;
  const torch::Tensor ahead =
      states.narrow(2, 0, hidden).flatten(0, 1).index_select(0, last);  // [batch, hidden]
  const torch::Tensor back = states.select(1, 0).narrow(1, hidden, hidden);
  return {states, mask, torch::cat({ahead, back}, 1)};
}

torch::Tensor BidirectionalEncoderImpl::FusedStates(const torch::Tensor& tokens,
                                                    const torch::Tensor& lengths) {
  const double dropout = is_training() ? options_.dropout : 0;
  const auto steps = MakeSteps(lengths, /*side_by_side=*/2);
  torch::Tensor states = FusedEmbedding(embedding_->weight, tokens, steps, dropout);
  for (size_t layer = 0; layer < forward_cells_.size(); ++layer) {
    if (layer > 0) states = FusedDropout(states, dropout);
    states = FusedLayer({forward_cells_[layer], backward_cells_[layer]}, states, steps);
  }
  return PadRows(states, steps, tokens.size(1));
}

torch::Tensor BidirectionalEncoderImpl::PlainStates(const torch::Tensor& tokens,
                                                    const torch::Tensor& lengths) {
  const int64_t source = tokens.size(1);
  const torch::Device device = tokens.device();
  const torch::Tensor reversal = ReversalIndex(lengths, source).to(device);
  const torch::Tensor mask = (torch::arange(source) < lengths.unsqueeze(1)).to(device);

  torch::Tensor states = embedding_(tokens.t());  // [source, batch, embedding]
  for (size_t layer = 0; layer < forward_cells_.size(); ++layer) {
    states = torch::dropout(states, options_.dropout, is_training());
    // Turning the tokens alone keeps padding behind them for both cells: no step needs a mask.
    const torch::Tensor ahead = RunCell(forward_cells_[layer], states);  // [source, batch, hidden]
    const torch::Tensor back =
        Reorder(RunCell(backward_cells_[layer], Reorder(states, reversal)), reversal);
    states = torch::cat({ahead, back}, 2);
  }
  return states.transpose(0, 1) * mask.unsqueeze(2);
}

Encoder MakeEncoder(int64_t vocab, const EncoderOptions& options) {
  return Encoder(
      std::shared_ptr<EncoderImpl>(std::make_shared<BidirectionalEncoderImpl>(vocab, options)));
}

}  // namespace seq2seq
