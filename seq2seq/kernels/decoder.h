// A recurrent decoder with attention over whole target sequences.
#ifndef SEQ2SEQ_KERNELS_DECODER_H_
#define SEQ2SEQ_KERNELS_DECODER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/kernels/attention.h"
#include "seq2seq/kernels/gates.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/kernels/recurrent.h"
#include "seq2seq/kernels/steps.h"

namespace seq2seq {

// What stays the same for a batch. Sentences are in the order of the batch, rows in that of
// `steps`, which are the targets'.
struct DecoderPlan {
  CellKind cell = CellKind::kLstm;
  Precision precision = Precision::kFp32;
  bool input_feeding = true;
  double embedding_dropout = 0;
  double dropout = 0;  // On the input of every layer above the first.
  uint64_t seed = 0;   // Of dropout and of sampled tokens.
  const Steps* steps = nullptr;
};

struct DecoderWeights {
  ConstMatrix embedding;  // [vocab, embedding]
  std::vector<CellWeights>
      cells;            // The input of the first one: embedding, then readout if it is fed.
  ConstMatrix readout;  // [readout, memory + hidden]
};

struct DecoderGradients {
  Matrix embedded;  // [row, embedding], of the embedding of each row.
  std::vector<CellGradients> cells;
  Matrix readout;
};

// The state before the first step, one a layer: [batch, hidden]. The first readout is zero.
struct DecoderStart {
  std::vector<ConstMatrix> hidden;
  std::vector<ConstMatrix> memory;  // Empty for cells without one.
};

struct DecoderStartGradient {
  std::vector<Matrix> hidden;
  std::vector<Matrix> memory;
};

// Tokens of the decoder's own in the place of true ones (Bengio et al. 2015).
struct OwnTokens {
  absl::Span<const bool> own;            // [row], true where the token is to be replaced.
  bool sample = false;                   // Drawn from the distribution instead of its highest.
  const PackedMatrix* output = nullptr;  // [readout, vocab]
  const float* output_bias = nullptr;
};

// What the forward pass leaves for the backward pass.
struct DecoderTape {
  struct Layer {
    Buffer input;   // [row, input], after dropout.
    Buffer gates;   // [row, width x hidden]
    Buffer memory;  // [row, hidden]
    Buffer hidden;  // [row, hidden]; the last layer's is in `attended`.
  };
  std::vector<Layer> layers;
  Buffer attended;  // [row, memory + hidden], what the readout is made of.
  Buffer weights;   // [row, source], where each step looked.
};

// readout = tanh(W [context, hidden]) of every row, with Luong attention (dot products of the last
// hidden state with the keys) and input feeding (Luong et al. 2015): [row, readout]. Keys and
// values may have no columns, for a decoder that reads nothing. `tokens`, [row], are fed; where
// `own_tokens` says so they are replaced. Runs groups of sentences side by side, each from its
// first step to its last.
DecoderTape DecoderForward(const DecoderPlan& plan, const DecoderWeights& weights,
                           const DecoderStart& start, absl::Span<const Source> sources,
                           const OwnTokens* own_tokens, absl::Span<int64_t> tokens,
                           Matrix readouts);

// The gradients, given that of the readouts; uses up `tape`. Those of keys and values, of a
// sentence each, are overwritten.
void DecoderBackward(const DecoderPlan& plan, const DecoderWeights& weights,
                     const DecoderStart& start, absl::Span<const Source> sources,
                     ConstMatrix readouts, ConstMatrix readout_gradient, DecoderTape& tape,
                     const DecoderGradients& gradients, const DecoderStartGradient& start_gradient,
                     absl::Span<const Matrix> key_gradients,
                     absl::Span<const Matrix> value_gradients);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_DECODER_H_
