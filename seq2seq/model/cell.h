// The recurrent formulas that encoder and decoder are made of.
#ifndef SEQ2SEQ_MODEL_CELL_H_
#define SEQ2SEQ_MODEL_CELL_H_

#include <cstdint>

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include "seq2seq/kernels/gates.h"

namespace seq2seq {

// What a cell carries from step to step. A value.
struct CellState {
  torch::Tensor hidden;  // [row, hidden], the output of the step.
  torch::Tensor memory;  // [row, hidden], inside the cell; undefined for cells without one.

  // The state of the rows `rows`, [row].
  CellState Select(const torch::Tensor& rows) const;
};

// Whether the state of a cell has a memory.
inline bool HasMemory(CellKind kind) {
  return kind == CellKind::kLstm || kind == CellKind::kPeephole || kind == CellKind::kCoupled ||
         kind == CellKind::kLayerNormLstm;
}

// Whether it has gates.
inline bool HasGates(CellKind kind) {
  return kind != CellKind::kRnnTanh && kind != CellKind::kRnnRelu;
}

// One step of a recurrent layer, in two parts: what the inputs contribute, which can be computed
// for all steps at once, and the rest. Parameters as in torch.nn.LSTMCell and GRUCell: weight_ih
// [gates x hidden, input], weight_hh [gates x hidden, hidden], bias_ih, bias_hh [gates x hidden].
class CellImpl : public torch::nn::Module {
 public:
  // The contribution of input features [first, first + n): [..., n] -> [..., gates x hidden]. The
  // contributions of all features add up; the one with first = 0 carries the biases.
  torch::Tensor Project(const torch::Tensor& input, int64_t first);

  // One step: the sum of the projected inputs, [row, gates x hidden], and the state before -> the
  // state after.
  CellState forward(const torch::Tensor& projected, const CellState& state);

  // Dropout of what is new in a state, in training, so that nothing remembered is lost (Semeniuta
  // et al. 2016); for cells with gates.
  void SetRecurrentDropout(double rate) { recurrent_dropout_ = rate; }

  // Whether a step goes through the kernels.
  bool is_fused() const;

  // Sets the bias of the forget gate, of cells that have one.
  virtual void SetForgetBias(double bias) {}

  // The state before the first step: zeros.
  CellState InitialState(int64_t rows) const;

  CellKind kind() const { return kind_; }
  int64_t hidden() const { return weight_hh_.size(1); }
  const torch::Tensor& weight_ih() const { return weight_ih_; }
  const torch::Tensor& weight_hh() const { return weight_hh_; }
  const torch::Tensor& bias_ih() const { return bias_ih_; }
  const torch::Tensor& bias_hh() const { return bias_hh_; }
  const torch::Tensor& peephole() const { return peephole_; }  // Undefined in cells without.

 protected:
  CellImpl(CellKind kind, int64_t gates, int64_t input, int64_t hidden);

  // The biases that projected inputs carry, [gates x hidden]; undefined where they carry none.
  virtual torch::Tensor ProjectionBias() const;

  // The formula: `recurrent` is what the state contributes, [row, gates x hidden].
  virtual CellState Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                            const CellState& state) const = 0;

  // The sigmoid of what opens a gate, for a GateWatch to see.
  torch::Tensor Gate(const torch::Tensor& input) const;

  // New values of a state, or memory, after dropout.
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

// Hochreiter & Schmidhuber 1997, with forget gate (Gers et al. 2000) and, for kPeephole, peepholes
// (Gers & Schmidhuber 2000), [3, hidden], through which input and forget gate see the memory before
// and the output gate the one after. Gates in the order input, forget, cell, output. The forget
// gate starts open: its bias is 1.
class LstmCellImpl : public CellImpl {
 public:
  LstmCellImpl(CellKind kind, int64_t input, int64_t hidden);

  void SetForgetBias(double bias) override;

 protected:
  CellState Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                    const CellState& state) const override;
};

// Cho et al. 2014, as torch.nn.GRUCell: gates in the order reset, update, new.
class GruCellImpl : public CellImpl {
 public:
  GruCellImpl(int64_t input, int64_t hidden);

 protected:
  torch::Tensor ProjectionBias() const override;
  CellState Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                    const CellState& state) const override;
};

// Elman 1990; kRnnTanh or, starting from the identity as in Le et al. 2015, kRnnRelu.
class RnnCellImpl : public CellImpl {
 public:
  RnnCellImpl(CellKind kind, int64_t input, int64_t hidden);

 protected:
  CellState Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                    const CellState& state) const override;
};

// An LSTM that forgets as much as it takes in (Greff et al. 2017), with peepholes, [2, hidden],
// through which the input gate sees the memory before and the output gate the one after. Gates in
// the order input, cell, output.
class CoupledCellImpl : public CellImpl {
 public:
  CoupledCellImpl(int64_t input, int64_t hidden);

  void SetForgetBias(double bias) override;

 protected:
  CellState Combine(const torch::Tensor& projected, const torch::Tensor& recurrent,
                    const CellState& state) const override;
};

// LSTM and GRU that normalise what inputs and state contribute, each over all gates, or for GRU
// over the first two and the last one, and LSTM also its memory (Ba et al. 2016). `norm_ih` and
// `norm_hh`, [gates x hidden], are the gains; the biases come after them.
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
  torch::Tensor norm_memory_;       // [hidden]
  torch::Tensor norm_memory_bias_;  // [hidden]
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

// The outputs of a cell over a sequence, step by step from a state of zeros: [source, batch, input]
// -> [source, batch, hidden].
torch::Tensor RunCell(Cell& cell, const torch::Tensor& input);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_CELL_H_
