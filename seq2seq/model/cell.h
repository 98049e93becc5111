// The recurrent formulas that encoder and decoder are made of.
#ifndef SEQ2SEQ_MODEL_CELL_H_
#define SEQ2SEQ_MODEL_CELL_H_

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

namespace seq2seq {

enum class CellKind { kLstm };

inline std::vector<std::string> EnumTexts(CellKind) { return {"lstm"}; }

// What a cell carries from step to step. A value.
struct CellState {
  torch::Tensor hidden;  // [row, hidden], the output of the step.
  torch::Tensor memory;  // [row, hidden], inside the cell.

  // The state of the rows `rows`, [row].
  CellState Select(const torch::Tensor& rows) const {
    return {hidden.index_select(0, rows), memory.index_select(0, rows)};
  }
};

// One step of a recurrent layer, in two parts: what the inputs contribute, which can be computed
// for all steps at once, and the rest.
class CellImpl : public torch::nn::Module {
 public:
  // The contribution of input features [first, first + n): [..., n] -> [..., gates]. The
  // contributions of all features add up; the one with first = 0 carries the biases.
  virtual torch::Tensor Project(const torch::Tensor& input, int64_t first) = 0;

  // One step: the sum of the projected inputs, [row, gates], and the state before -> the state
  // after.
  virtual CellState forward(const torch::Tensor& projected, const CellState& state) = 0;

  // The state before the first step: zeros.
  virtual CellState InitialState(int64_t rows) const = 0;
};
TORCH_MODULE(Cell);

// Hochreiter & Schmidhuber 1997, with forget gate (Gers et al. 2000). Parameters as in
// torch.nn.LSTMCell: weight_ih [4 x hidden, input], weight_hh [4 x hidden, hidden], bias_ih,
// bias_hh [4 x hidden], gates in the order input, forget, cell, output. The forget gate starts
// open: its bias is 1.
class LstmCellImpl : public CellImpl {
 public:
  LstmCellImpl(int64_t input, int64_t hidden);

  torch::Tensor Project(const torch::Tensor& input, int64_t first) override;
  CellState forward(const torch::Tensor& projected, const CellState& state) override;
  CellState InitialState(int64_t rows) const override;

 private:
  torch::Tensor weight_ih_;
  torch::Tensor weight_hh_;
  torch::Tensor bias_ih_;
  torch::Tensor bias_hh_;
};
TORCH_MODULE(LstmCell);

Cell MakeCell(CellKind kind, int64_t input, int64_t hidden);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_CELL_H_
