// Recurrent layers over whole sequences.
#ifndef SEQ2SEQ_KERNELS_RECURRENT_H_
#define SEQ2SEQ_KERNELS_RECURRENT_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/kernels/gates.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/kernels/steps.h"

namespace seq2seq {

// The parameters of a cell, laid out as in torch.nn.LSTM and GRU.
struct CellWeights {
  ConstMatrix input;                  // weight_ih [gates x hidden, input]
  ConstMatrix hidden;                 // weight_hh [gates x hidden, hidden]
  const float* input_bias = nullptr;  // [gates x hidden]
  const float* hidden_bias = nullptr;
  const float* peephole = nullptr;  // [3 x hidden], or null.
};

// Where their gradients go; what was there is overwritten.
struct CellGradients {
  Matrix input;
  Matrix hidden;
  float* input_bias = nullptr;
  float* hidden_bias = nullptr;
  float* peephole = nullptr;
};

// What all inputs of a cell contribute to its gates carries both biases, but for gru's b_n, which
// stands inside of a product: [gates x hidden].
std::vector<float> ProjectionBias(CellKind kind, const CellWeights& weights);

// What the formulas of a cell need of its weights.
GateWeights FormulaWeights(CellKind kind, const CellWeights& weights);

// A cell made ready to run forward many times. A value; what `formula` points to is the caller's.
struct PackedCell {
  PackedCell(CellKind kind, const CellWeights& weights, Precision precision);

  CellKind kind;
  PackedMatrix input;             // [input, gates x hidden]
  PackedMatrix hidden;            // [hidden, gates x hidden]
  std::vector<float> input_bias;  // [gates x hidden], as ProjectionBias.
  GateWeights formula;
};

// Those of a layer, or of a stack.
std::vector<PackedCell> PackCells(CellKind kind, absl::Span<const CellWeights> weights,
                                  Precision precision);

// The products that carry gradients from the gates of a step to the output of the step before.
class HiddenGradient {
 public:
  HiddenGradient(CellKind kind, const CellWeights& weights, Precision precision);

  // Adds to `hidden`, [row, hidden], what follows from the gradients of `gates`, [row, width].
  void Add(ConstMatrix gates, Matrix hidden) const;

 private:
  std::vector<GateLayout::Recurrent> parts_;
  std::vector<PackedMatrix> weights_;
};

// Sums up the gradients of a cell over all rows: `gates` from GatesBackward, of which `projected`
// are the columns of the projected input, `hidden_before` and `memory_before` the states that the
// rows started from, `memory` what they left. Fills all but `gradients.input`, whose product is
// with the inputs.
void FillCellGradients(CellKind kind, ConstMatrix gates, const Operand& projected,
                       ConstMatrix hidden_before, ConstMatrix memory_before, ConstMatrix memory,
                       const CellGradients& gradients);

// What the forward pass of one direction leaves for the backward pass.
struct RecurrentTape {
  Buffer gates;   // [row, width x hidden]
  Buffer memory;  // [row, hidden], for cells that have one.
};

// One layer of one cell, which reads from the left, or of two, of which the second reads from the
// right: input [row, input] -> output [row, directions x hidden], rows as in `steps`. Costs the
// matrix products of the tokens, one product for each step, and little else. Directions and groups
// of sequences run side by side.
std::vector<RecurrentTape> RecurrentForward(const Steps& steps, ConstMatrix input,
                                            absl::Span<const PackedCell> directions, Matrix output);

// The gradients, given that of the output; uses up `tape`. The gradient of the input is not
// computed where `input_gradient` is empty.
void RecurrentBackward(CellKind kind, Precision precision, const Steps& steps, ConstMatrix input,
                       absl::Span<const CellWeights> directions, ConstMatrix output,
                       ConstMatrix output_gradient, absl::Span<const RecurrentTape> tape,
                       Matrix input_gradient, absl::Span<const CellGradients> gradients);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_RECURRENT_H_
