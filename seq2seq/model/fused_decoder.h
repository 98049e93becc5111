// The kernel of the attention decoder behind autograd. Its steps one by one are in decoder.h; both
// agree.
#ifndef SEQ2SEQ_MODEL_FUSED_DECODER_H_
#define SEQ2SEQ_MODEL_FUSED_DECODER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include <torch/types.h>

#include "seq2seq/model/attention.h"
#include "seq2seq/model/cell.h"

namespace seq2seq {

// The parts of a decoder that its recurrence runs through.
struct FusedDecoder {
  torch::Tensor embedding;       // [vocab, embedding]
  absl::Span<const Cell> cells;  // One a layer.
  torch::Tensor readout;         // [readout, memory + hidden]
  torch::Tensor output_weight;   // [vocab, readout], read for tokens of the decoder's own.
  torch::Tensor output_bias;     // [vocab]
  bool input_feeding = true;
  double embedding_dropout = 0;  // On embeddings; 0 in eval mode, as the next.
  double dropout = 0;            // On the input of every layer above the first.
};

// Which tokens are the decoder's own: [batch, target], true there; undefined for none. They are the
// highest of the distribution, or drawn from it.
struct FusedSampling {
  torch::Tensor own;
  bool sample = false;
};

// The readouts of whole targets, [batch, target] with `lengths`, [batch], on the CPU: [batch,
// target, readout], zero at padding. `start` is the state of the cells, one a layer; the first
// readout is zero. The attention compares the last layer's output with the keys of `memory` by dot
// products.
torch::Tensor FusedDecode(const FusedDecoder& decoder, const torch::Tensor& tokens,
                          const torch::Tensor& lengths, const Memory& memory,
                          const std::vector<CellState>& start, const FusedSampling& sampling);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_FUSED_DECODER_H_
