// Attentional recurrent decoder over whole targets, with gradients, on the kernels.
#ifndef SEQ2SEQ_OPS_DECODER_OP_H_
#define SEQ2SEQ_OPS_DECODER_OP_H_

#include <cstdint>
#include <vector>

#include <torch/types.h>

#include "seq2seq/ops/cell_parameters.h"

namespace seq2seq {

// The parameters and options that the recurrence of a decoder uses.
struct FusedDecoder {
  torch::Tensor embedding;            // [vocab, embedding]
  std::vector<CellParameters> cells;  // One per layer, and the conditional one.
  torch::Tensor attentional;          // [attentional, context + hidden]
  // Of additive attention: W, [hidden, hidden], and energy, [1, hidden]; undefined for dot
  // products.
  torch::Tensor query, energy;
  torch::Tensor coverage;       // [hidden, 1], of additive attention with coverage; else undefined.
  torch::Tensor output_weight;  // [vocab, attentional], predicts tokens in scheduled sampling.
  torch::Tensor output_bias;    // [vocab]
  bool input_feeding = true;
  bool conditional = false;      // The last of the cells is a conditional one.
  double embedding_dropout = 0;  // Rate on embeddings; 0 in eval mode, as `dropout`.
  double dropout = 0;            // Rate on the input of every layer above the first.
};

// What attention reads: [batch, source, size], of which the first `lengths`, [batch], count.
struct FusedMemory {
  torch::Tensor keys;
  torch::Tensor values;
  torch::Tensor lengths;  // int64.
};

// Scheduled sampling: `predicted`, [batch, target], is true where a predicted token is fed;
// undefined for none. It is the most probable token or, with `sample`, drawn from the distribution.
struct FusedSampling {
  torch::Tensor predicted;
  bool sample = false;
};

// Of whole targets, zero at padding.
struct FusedDecoded {
  torch::Tensor attentional_states;  // [batch, target, attentional]
  torch::Tensor attention;           // [batch, target, source], the attention weights.
};

// Decodes whole targets, [batch, target] with `lengths`, [batch], on the CPU. `start` is the
// initial state of the cells, one per layer; the initial attentional state is zero. Attention
// scores are those of DecoderForward in kernels/decoder.h. Attention weights are undefined unless
// `with_attention`. Agrees with the time steps of RecurrentDecoderImpl.
FusedDecoded FusedDecode(const FusedDecoder& decoder, const torch::Tensor& tokens,
                         const torch::Tensor& lengths, const FusedMemory& memory,
                         const std::vector<CellState>& start, const FusedSampling& sampling,
                         bool with_attention);

}  // namespace seq2seq

#endif  // SEQ2SEQ_OPS_DECODER_OP_H_
