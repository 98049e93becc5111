// Recurrent layers and linear layers with gradients, on the kernels.
#ifndef SEQ2SEQ_OPS_RECURRENT_OPS_H_
#define SEQ2SEQ_OPS_RECURRENT_OPS_H_

#include <memory>
#include <vector>

#include "absl/types/span.h"
#include <torch/types.h>

#include "seq2seq/base/profile.h"
#include "seq2seq/kernels/packed_sequence.h"
#include "seq2seq/ops/cell_parameters.h"

namespace seq2seq {

// One time step of a cell, from the projected input and hidden state, [row, gates x hidden], and
// the previous state. Agrees with the formulas of model/cell.cc.
CellState FusedGates(const CellParameters& cell, const torch::Tensor& projected,
                     const torch::Tensor& recurrent, const CellState& state);

// A recurrent layer of one or two directions over the rows of `steps`: [row, input] -> [row,
// directions x hidden], the hidden states, which are the output, and `with_cell_states`, of cells
// that have them, the cell states. `phases` are for the profile.
CellState FusedLayer(absl::Span<const CellParameters> directions, const torch::Tensor& input,
                     std::shared_ptr<const PackedSequence> steps, const PassPhases& phases,
                     bool with_cell_states = false);

// As torch::linear, without bias if that is undefined: [..., input] -> [..., output].
torch::Tensor FusedLinear(const torch::Tensor& input, const torch::Tensor& weight,
                          const PassPhases& phases, const torch::Tensor& bias = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_OPS_RECURRENT_OPS_H_
