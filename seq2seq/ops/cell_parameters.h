// Parameters and state of a recurrent cell, as tensors.
#ifndef SEQ2SEQ_OPS_CELL_PARAMETERS_H_
#define SEQ2SEQ_OPS_CELL_PARAMETERS_H_

#include <torch/types.h>

#include "seq2seq/kernels/gates.h"

namespace seq2seq {

// The parameters of a cell that the kernels train, as in torch.nn.LSTMCell.
struct CellParameters {
  CellKind kind = CellKind::kLstm;
  torch::Tensor weight_ih;  // [gates x hidden, input]
  torch::Tensor weight_hh;  // [gates x hidden, hidden]
  torch::Tensor bias_ih;    // [gates x hidden]
  torch::Tensor bias_hh;    // [gates x hidden]
  torch::Tensor peephole;   // [3, hidden]; undefined for cells without one.
};

// The state of a cell between time steps. A value.
struct CellState {
  torch::Tensor hidden;      // [row, hidden], the hidden state h, which is the output.
  torch::Tensor cell_state;  // [row, hidden], the cell state c; undefined for cells without one.

  // The state of the rows `rows`, [row].
  CellState Select(const torch::Tensor& rows) const {
    return {hidden.index_select(0, rows),
            cell_state.defined() ? cell_state.index_select(0, rows) : torch::Tensor()};
  }
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_OPS_CELL_PARAMETERS_H_
