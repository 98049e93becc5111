// Recurrent layers, forward and backward over whole sequences.
#ifndef SEQ2SEQ_KERNELS_RECURRENT_H_
#define SEQ2SEQ_KERNELS_RECURRENT_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/kernels/gates.h"
#include "seq2seq/kernels/packed_sequence.h"
#include "seq2seq/kernels/product.h"

namespace seq2seq {

// The parameters of a cell, laid out as in torch.nn.LSTM and GRU.
struct CellWeights {
  ConstMatrix input;                  // weight_ih [gates x hidden, input]
  ConstMatrix hidden;                 // weight_hh [gates x hidden, hidden]
  const float* input_bias = nullptr;  // [gates x hidden]
  const float* hidden_bias = nullptr;
  const float* peephole = nullptr;  // [peepholes x hidden], or null.

  // Of cells with layer normalisation, as in GateWeights.
  const float* input_gain = nullptr;
  const float* hidden_gain = nullptr;
  const float* cell_state_gain = nullptr;
  const float* cell_state_bias = nullptr;
};

// Gradients of the parameters; previous contents are overwritten.
struct CellGradients {
  Matrix input;
  Matrix hidden;
  float* input_bias = nullptr;
  float* hidden_bias = nullptr;
  float* peephole = nullptr;
};

// The bias of the input projection: the sum of both biases, without those that are part of the
// formula: [gates x hidden].
std::vector<float> ProjectionBias(CellKind kind, const CellWeights& weights);

// The parameters of the elementwise part of a cell.
GateWeights FormulaWeights(CellKind kind, const CellWeights& weights);

// A cell with packed weights. A value; the caller owns what `formula` points to.
struct PackedCell {
  PackedCell(CellKind kind, const CellWeights& weights, Precision precision);

  CellKind kind;
  PackedMatrix input;             // [input, gates x hidden]
  PackedMatrix hidden;            // [hidden, gates x hidden]
  std::vector<float> input_bias;  // [gates x hidden], as ProjectionBias.
  GateWeights formula;
};

// Packs the cells of a layer, or of a stack.
std::vector<PackedCell> PackCells(CellKind kind, absl::Span<const CellWeights> weights,
                                  Precision precision);

// Backpropagation from the gates of a time step to the previous hidden state: matrix products.
class HiddenGradient {
 public:
  HiddenGradient(CellKind kind, const CellWeights& weights, Precision precision);

  // Adds to `hidden`, [row, hidden], the gradient that results from that of `gates`, [row, width].
  void Add(ConstMatrix gates, Matrix hidden) const;

 private:
  std::vector<GateLayout::Recurrent> parts_;
  std::vector<PackedMatrix> weights_;
};

// Sums the gradients of a cell's parameters over all rows: `gates` from GatesBackward, of which
// `projected` are the columns of the projected input, `hidden_before` and `cell_state_before` the
// previous hidden and cell states, `cell_state` the new cell states. Fills all but
// `gradients.input`, whose product is with the inputs.
void FillCellGradients(CellKind kind, ConstMatrix gates, const Operand& projected,
                       ConstMatrix hidden_before, ConstMatrix cell_state_before,
                       ConstMatrix cell_state, const CellGradients& gradients);

// Activations that the forward pass of one direction stores for the backward pass.
struct RecurrentCache {
  Buffer gates;       // [row, width x hidden]
  Buffer cell_state;  // [row, hidden], for cells that have one.
};

// What a loss depends on.
struct RecurrentOutputGradient {
  ConstMatrix output;      // [row, directions x hidden]
  ConstMatrix cell_state;  // Likewise, of the cell states; empty for zero.
};

// A layer of one cell, left to right, or a bidirectional one of two, the second right to left:
// input [row, input] -> output [row, directions x hidden], rows as in `steps`. Costs the input
// projections of the tokens, one matrix product per time step, and little else. Directions and
// groups of sequences run in parallel. All kinds of cells; those without a training kernel fill
// only the cell states of the cache.
std::vector<RecurrentCache> RecurrentForward(const PackedSequence& steps, ConstMatrix input,
                                             absl::Span<const PackedCell> directions,
                                             Matrix output);

// The gradients, given those of the output; consumes `cache`. The gradient of the input is not
// computed where `input_gradient` is empty.
void RecurrentBackward(CellKind kind, Precision precision, const PackedSequence& steps,
                       ConstMatrix input, absl::Span<const CellWeights> directions,
                       ConstMatrix output, const RecurrentOutputGradient& output_gradient,
                       absl::Span<const RecurrentCache> cache, Matrix input_gradient,
                       absl::Span<const CellGradients> gradients);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_RECURRENT_H_
