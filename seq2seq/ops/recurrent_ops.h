// Autograd functions around the kernels of recurrent layers; agree with the formulas of cell.h.
#ifndef SEQ2SEQ_OPS_RECURRENT_OPS_H_
#define SEQ2SEQ_OPS_RECURRENT_OPS_H_

#include <memory>
#include <vector>

#include "absl/types/span.h"
#include <torch/types.h>

#include "seq2seq/kernels/packed_sequence.h"
#include "seq2seq/model/cell.h"

namespace seq2seq {

// One time step of a cell, after the product with its hidden state; as CellImpl::Combine.
CellState FusedGates(const CellImpl& cell, const torch::Tensor& projected,
                     const torch::Tensor& recurrent, const CellState& state);

// A recurrent layer of one or two directions over the rows of `steps`: [row, input] -> [row,
// directions x hidden].
torch::Tensor FusedLayer(absl::Span<const Cell> directions, const torch::Tensor& input,
                         std::shared_ptr<const PackedSequence> steps);

// As torch::linear without bias: [..., input] -> [..., output].
torch::Tensor FusedLinear(const torch::Tensor& input, const torch::Tensor& weight);

}  // namespace seq2seq

#endif  // SEQ2SEQ_OPS_RECURRENT_OPS_H_
