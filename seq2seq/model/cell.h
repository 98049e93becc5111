// Recurrent cells: LSTM, GRU, plain RNN, and variants.
#ifndef SEQ2SEQ_MODEL_CELL_H_
#define SEQ2SEQ_MODEL_CELL_H_

#include <cstdint>
#include <vector>

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/ops/cell_parameters.h"

namespace seq2seq {

// One time step of a recurrent layer, in two parts: the input projection, which can be computed for
// all time steps at once, and the recurrence. Parameters as in torch.nn.LSTMCell and GRUCell:
// weight_ih [gates x hidden, input], weight_hh [gates x hidden, hidden], bias_ih, bias_hh [gates x
// hidden].
class CellImpl : public torch::nn::Module {
 public:
  // Projects the input features [first, first + n): [..., n] -> [..., gates x hidden]. The
  // projections of all features add up; the one with first = 0 includes the biases.
  torch::Tensor Project(const torch::Tensor& input, int64_t first);

  // One time step: the sum of the projected inputs, [row, gates x hidden], and the previous state
  // -> the next state.
  CellState forward(const torch::Tensor& projected, const CellState& state);

  // Sets the rate of recurrent dropout in training: on the candidate values alone, so that the
  // state itself is kept (Semeniuta et al. 2016); for cells with gates.
  void SetRecurrentDropout(double rate) { recurrent_dropout_ = rate; }

  // Whether the kernels compute a time step.
  bool is_fused() const;

  // Sets the bias of the forget gate of cells that have one.
  virtual void SetForgetBias(double bias) {}

  // The state before the first time step: zeros.
  CellState InitialState(int64_t rows) const;

  CellKind kind() const { return kind_; }
  int64_t hidden() const { return weight_hh_.size(1); }
  // For the kernels.
  CellParameters cell_parameters() const {
    return {kind_, weight_ih_, weight_hh_, bias_ih_, bias_hh_, peephole_};
  }

 protected:
  CellImpl(CellKind kind, int64_t gates, int64_t input, int64_t hidden);

  // The biases that Project includes, [gates x hidden]; undefined for none.
  virtual torch::Tensor ProjectionBias() const;

  // The formula of the cell; `recurrent`, [row, gates x hidden], is the projected hidden state.
  virtual CellState Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                            const CellState& state) const = 0;

  // A gate: the sigmoid of `input`. Reports it to GateStatistics.
  torch::Tensor Gate(const torch::Tensor& input) const;

  // Candidate values of a hidden or cell state after recurrent dropout.
  torch::Tensor DropNew(const torch::Tensor& fresh) const;

  const CellKind kind_;
  torch::Tensor weight_ih_;
  torch::Tensor weight_hh_;
  torch::Tensor bias_ih_;
  torch::Tensor bias_hh_;
  torch::Tensor peephole_;

 private:
  double recurrent_dropout_ = 0;
};
TORCH_MODULE(Cell);

// LSTM (Hochreiter & Schmidhuber 1997) with forget gate (Gers et al. 2000) and, for kPeephole,
// peepholes (Gers & Schmidhuber 2000), [3, hidden], from the previous cell state to the input and
// forget gates and from the new one to the output gate. Gates in the order input, forget, cell,
// output. The forget gate starts open: its bias is initialised to 1.
class LstmCellImpl : public CellImpl {
 public:
  LstmCellImpl(CellKind kind, int64_t input, int64_t hidden);

  void SetForgetBias(double bias) override;

 protected:
  CellState Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                    const CellState& state) const override;
};

// GRU (Cho et al. 2014), as torch.nn.GRUCell: gates in the order reset, update, new.
class GruCellImpl : public CellImpl {
 public:
  GruCellImpl(int64_t input, int64_t hidden);

 protected:
  torch::Tensor ProjectionBias() const override;
  CellState Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                    const CellState& state) const override;
};

// Plain RNN (Elman 1990): kRnnTanh, or kRnnRelu with weight_hh initialised to the identity (Le et
// al. 2015).
class RnnCellImpl : public CellImpl {
 public:
  RnnCellImpl(CellKind kind, int64_t input, int64_t hidden);

 protected:
  CellState Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                    const CellState& state) const override;
};

// LSTM with coupled input and forget gates, f = 1 - i (Greff et al. 2017), and peepholes, [2,
// hidden], from the previous cell state to the input gate and from the new one to the output gate.
// Gates in the order input, cell, output.
class CoupledCellImpl : public CellImpl {
 public:
  CoupledCellImpl(int64_t input, int64_t hidden);

  void SetForgetBias(double bias) override;

 protected:
  CellState Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                    const CellState& state) const override;
};

// LSTM and GRU with layer normalisation (Ba et al. 2016) of the projected inputs and the projected
// hidden state, each over all gates (GRU: over the first two gates and over the last), and for LSTM
// of the cell state too. `norm_ih` and `norm_hh`, [gates x hidden], are the gains; the biases are
// added after normalisation.
class LayerNormLstmCellImpl : public LstmCellImpl {
 public:
  LayerNormLstmCellImpl(int64_t input, int64_t hidden);

 protected:
  torch::Tensor ProjectionBias() const override { return {}; }
  CellState Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                    const CellState& state) const override;

 private:
  torch::Tensor norm_ih_;
  torch::Tensor norm_hh_;
  torch::Tensor norm_cell_state_;       // [hidden]
  torch::Tensor norm_cell_state_bias_;  // [hidden]
};

class LayerNormGruCellImpl : public CellImpl {
 public:
  LayerNormGruCellImpl(int64_t input, int64_t hidden);

 protected:
  torch::Tensor ProjectionBias() const override { return {}; }
  CellState Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                    const CellState& state) const override;

 private:
  torch::Tensor norm_ih_;
  torch::Tensor norm_hh_;
};

Cell MakeCell(CellKind kind, int64_t input, int64_t hidden, double recurrent_dropout = 0);

// The parameters of the cells of a layer or stack, for the kernels.
std::vector<CellParameters> ParametersOf(const std::vector<Cell>& cells);

// The states of a cell over a sequence, from a state of zeros, one time step at a time: [source,
// batch, input] -> [source, batch, hidden]. The cell states only `with_cell_states`, of cells that
// have them.
CellState RunCell(Cell& cell, const torch::Tensor& input, bool with_cell_states = false);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_CELL_H_
