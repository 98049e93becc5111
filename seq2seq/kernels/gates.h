// Elementwise part of recurrent cells: LSTM, GRU, Elman RNN, and variants.
#ifndef SEQ2SEQ_KERNELS_GATES_H_
#define SEQ2SEQ_KERNELS_GATES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// With x and u the contributions of input and previous hidden state, s the logistic function:
//
// lstm       i, f, o = s(x + u), g = tanh(x + u), c' = f c + i g, h' = o tanh(c')
// peephole   the same, with p c added within i and f, and p c' within o (Gers & Schmidhuber 2000)
// gru        r, z = s(x + u), n = tanh(x_n + r (u_n + b_n)), h' = (1 - z) n + z h (Cho et al. 2014)
// rnn_tanh   h' = tanh(x + u) (Elman 1990)
// rnn_relu   h' = max(0, x + u) (Le et al. 2015)
// coupled    peephole with f = 1 - i (Greff et al. 2017)
//
// and, with L a layer normalisation over all of its argument (Ba et al. 2016) and biases after it,
//
// layer_norm_lstm    lstm with L(x) + L(u) for x + u, and h' = o tanh(L(c'))
// layer_norm_gru     gru with L(x) + L(u) for x + u, and L(x_n), L(u_n) separately
enum class CellKind {
  kLstm,
  kPeephole,
  kGru,
  kRnnTanh,
  kRnnRelu,
  kCoupled,
  kLayerNormLstm,
  kLayerNormGru,
};

inline std::vector<std::string> EnumTexts(CellKind) {
  return {"lstm",    "peephole",        "gru",           "rnn_tanh", "rnn_relu",
          "coupled", "layer_norm_lstm", "layer_norm_gru"};
}

// Whether the kernels train a cell: GatesBackward accepts no other. GatesForward accepts all.
inline bool HasTrainingKernel(CellKind kind) {
  switch (kind) {
    case CellKind::kLstm:
    case CellKind::kPeephole:
    case CellKind::kGru:
    case CellKind::kRnnTanh:
    case CellKind::kRnnRelu:
      return true;
    case CellKind::kCoupled:
    case CellKind::kLayerNormLstm:
    case CellKind::kLayerNormGru:
      return false;
  }
  return false;  // Not one of the kinds.
}

// Whether a cell has a cell state c besides its hidden state h.
inline bool HasCellState(CellKind kind) {
  switch (kind) {
    case CellKind::kLstm:
    case CellKind::kPeephole:
    case CellKind::kCoupled:
    case CellKind::kLayerNormLstm:
      return true;
    case CellKind::kGru:
    case CellKind::kRnnTanh:
    case CellKind::kRnnRelu:
    case CellKind::kLayerNormGru:
      return false;
  }
  return false;  // Not one of the kinds.
}

// Whether a cell has gates.
inline bool HasGates(CellKind kind) {
  switch (kind) {
    case CellKind::kLstm:
    case CellKind::kPeephole:
    case CellKind::kGru:
    case CellKind::kCoupled:
    case CellKind::kLayerNormLstm:
    case CellKind::kLayerNormGru:
      return true;
    case CellKind::kRnnTanh:
    case CellKind::kRnnRelu:
      return false;
  }
  return false;  // Not one of the kinds.
}

// Number of gates, of `hidden` rows each, in the weights of a cell.
inline int64_t GatesOf(CellKind kind) {
  switch (kind) {
    case CellKind::kLstm:
    case CellKind::kPeephole:
    case CellKind::kLayerNormLstm:
      return 4;
    case CellKind::kGru:
    case CellKind::kCoupled:
    case CellKind::kLayerNormGru:
      return 3;
    case CellKind::kRnnTanh:
    case CellKind::kRnnRelu:
      return 1;
  }
  return 0;  // Not one of the kinds.
}

// Layout of a row of gates, in units of the hidden size.
struct GateLayout {
  // A range of the rows of weight_hh, and the position of its gradients in a row of gates.
  struct Recurrent {
    int64_t weight = 0;
    int64_t gates = 0;
    int64_t count = 0;
  };

  // Contribution of the input: lstm i f g o, coupled i g o, gru r z n. Comes first.
  int64_t projected = 0;
  int64_t width = 0;  // Of the whole row: gru also stores what the hidden state contributes to n.
  std::vector<Recurrent> recurrent;  // Empty without a training kernel.
  // Gates whose hidden bias is added to their input bias: the first ones. That of the others is a
  // part of the formula, as b_n of gru is.
  int64_t summed_biases = 0;
  int64_t peepholes = 0;  // Rows of the peephole weights.
  // Whether projections are normalised, so that all biases are a part of the formula.
  bool normalizes = false;

  int64_t formula_biases() const { return projected - summed_biases; }
};

const GateLayout& LayoutOf(CellKind kind);

// Parameters of the elementwise part; null where a cell has none.
struct GateWeights {
  const float* peephole = nullptr;     // [peepholes x hidden], of i, f and o; coupled i and o.
  const float* hidden_bias = nullptr;  // [formula_biases x hidden], b_n of gru.

  // Of layer normalisation: its gains, and the bias of the input projection, [gates x hidden]; gain
  // and bias of the cell state, [hidden].
  const float* input_gain = nullptr;
  const float* hidden_gain = nullptr;
  const float* input_bias = nullptr;
  const float* cell_state_gain = nullptr;
  const float* cell_state_bias = nullptr;
};

// One time step of some rows. `recurrent`, `hidden_before` and `cell_state_before` are zero if
// empty.
struct GateStep {
  Matrix gates;  // [row, width]; in: the projected input; out: for GatesBackward, or unspecified.
  ConstMatrix recurrent;          // [row, projected]
  ConstMatrix hidden_before;      // [row, hidden], for gru only.
  ConstMatrix cell_state_before;  // [row, hidden]
  Matrix hidden;                  // [row, hidden], out.
  Matrix cell_state;              // [row, hidden], out.
};

void GatesForward(CellKind kind, const GateWeights& weights, const GateStep& step);

// Gradients of one time step.
struct GateStepGradient {
  Matrix gates;               // [row, width]; in: from GatesForward; out: their gradients.
  ConstMatrix hidden_before;  // As in GateStep.
  ConstMatrix cell_state_before;
  ConstMatrix hidden;
  ConstMatrix cell_state;
  Matrix hidden_gradient;      // [row, hidden]; in: of hidden; out: gru's of hidden_before so far.
  Matrix cell_state_gradient;  // [row, hidden]; in: of cell_state; out: of cell_state_before.
};

// The gradient of hidden_before still lacks the products of the gates' gradients with weight_hh; on
// return hidden_gradient holds the rest of it, which is zero for all cells but gru.
void GatesBackward(CellKind kind, const GateWeights& weights, const GateStepGradient& step);

// Adds the gradient of the peephole weights, summed over rows: `gates` from GatesBackward, the cell
// states before and after; out [3 x hidden].
void PeepholeGradient(ConstMatrix gates, ConstMatrix cell_state_before, ConstMatrix cell_state,
                      float* out);

// values = tanh(values); and gradient = gradient (1 - outputs^2). One thread.
void TanhForward(Matrix values);
void TanhBackward(ConstMatrix outputs, Matrix gradient);

// out = the sums of the columns, [columns].
void SumRows(ConstMatrix values, float* out);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_GATES_H_
