// Recurrent decoder with attention, forward and backward over whole target sequences.
#ifndef SEQ2SEQ_KERNELS_DECODER_H_
#define SEQ2SEQ_KERNELS_DECODER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/kernels/attention.h"
#include "seq2seq/kernels/gates.h"
#include "seq2seq/kernels/packed_sequence.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/kernels/recurrent.h"

namespace seq2seq {

// Settings of the decoder for a batch. Sentences are in the order of the batch, rows in that of
// `steps`, the packed targets.
struct DecoderPlan {
  CellKind cell = CellKind::kLstm;
  Precision precision = Precision::kFp32;
  bool input_feeding = true;
  bool conditional = false;  // The last of the cells is a conditional one, see DecoderForward.
  double embedding_dropout = 0;
  double dropout = 0;  // On the input of every layer above the first.
  uint64_t seed = 0;   // Of dropout and of sampled tokens.
  const PackedSequence* steps = nullptr;
};

struct DecoderWeights {
  ConstMatrix embedding;  // [vocab, embedding]
  // One per layer; input of the first: embedding, then the attentional state with input feeding.
  // Then the conditional cell, if there is one; its input is the context.
  std::vector<CellWeights> cells;
  ConstMatrix attentional;  // [attentional, context + hidden]
  // Of additive attention, whose scores are energy' tanh(keys + W hidden): W, [hidden, hidden], and
  // energy, [hidden]; null for dot products of the hidden state with the keys.
  ConstMatrix query;
  const float* energy = nullptr;
  const float* coverage = nullptr;  // [hidden], of additive attention with coverage; else null.

  bool is_additive() const { return energy != nullptr; }
  bool has_coverage() const { return coverage != nullptr; }
};

// As DecoderWeights, overwritten.
struct DecoderGradients {
  Matrix embedded;  // [row, embedding], of the embedding of each row.
  std::vector<CellGradients> cells;
  Matrix attentional;
  Matrix query;
  float* energy = nullptr;
  float* coverage = nullptr;
};

// The initial state, one per layer: [batch, hidden]. A conditional cell has none. The initial
// attentional state is zero.
struct DecoderStart {
  std::vector<ConstMatrix> hidden;
  std::vector<ConstMatrix> cell_state;  // Empty for cells without one.
};

struct DecoderStartGradient {
  std::vector<Matrix> hidden;
  std::vector<Matrix> cell_state;
};

// Scheduled sampling: predicted tokens in place of reference tokens (Bengio et al. 2015).
struct PredictedTokens {
  absl::Span<const bool> predicted;      // [row], true where a predicted token is fed.
  bool sample = false;                   // Sampled from the distribution, not its argmax.
  const PackedMatrix* output = nullptr;  // [attentional, vocab]
  const float* output_bias = nullptr;
};

// Activations that the forward pass stores for the backward pass.
struct DecoderCache {
  struct Cell {
    Buffer input;       // [row, input], after dropout; a conditional cell's is in `attended`.
    Buffer gates;       // [row, width x hidden]
    Buffer cell_state;  // [row, hidden]
    Buffer hidden;      // [row, hidden]; the last cell's is in `attended`.
  };
  std::vector<Cell> cells;
  Buffer attended;  // [row, context + hidden]: input of the attentional state.
  Buffer queries;   // [row, hidden], W hidden of additive attention.
  Buffer weights;   // [row, source], attention weights.
  Buffer coverage;  // [row, source], the sums of those of earlier time steps.
};

// Computes the attentional states, tanh(W [context, hidden]) of every row, with attention of the
// last layer's hidden state by dot products with the keys (Luong et al. 2015) or additive (Bahdanau
// et al. 2015), and input feeding (Luong et al. 2015): `attentional_states`, [row, attentional]. A
// conditional cell (Sennrich et al. 2017) goes on from the last layer's state with the context as
// input; its state is the one that is combined with the context, and the last layer's previous one
// of the next time step.
// Keys and values may have no columns, for a decoder without source. `tokens`, [row], are the
// input; where `predicted_tokens` marks a row, a predicted token replaces its token. Groups of
// sentences run in parallel, each through all its time steps.
DecoderCache DecoderForward(const DecoderPlan& plan, const DecoderWeights& weights,
                            const DecoderStart& start, absl::Span<const AttentionMemory> sources,
                            const PredictedTokens* predicted_tokens, absl::Span<int64_t> tokens,
                            Matrix attentional_states);

// What a loss depends on.
struct DecoderOutputGradient {
  ConstMatrix attentional_states;  // [row, attentional]
  ConstMatrix attention;           // [row, source], of the attention weights; empty for zero.
};

// The gradients, given that of the outputs; consumes `cache`. Those of keys and values, one per
// sentence, are overwritten.
void DecoderBackward(const DecoderPlan& plan, const DecoderWeights& weights,
                     const DecoderStart& start, absl::Span<const AttentionMemory> sources,
                     ConstMatrix attentional_states, const DecoderOutputGradient& output_gradient,
                     DecoderCache& cache, const DecoderGradients& gradients,
                     const DecoderStartGradient& start_gradient,
                     absl::Span<const Matrix> key_gradients,
                     absl::Span<const Matrix> value_gradients);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_DECODER_H_
