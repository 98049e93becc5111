// The formulas of recurrent cells, behind their matrix products.
#ifndef SEQ2SEQ_KERNELS_GATES_H_
#define SEQ2SEQ_KERNELS_GATES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// With x what the input contributes, u what the state before contributes, s the logistic function:
//
// lstm       i, f, o = s(x + u), g = tanh(x + u), c' = f c + i g, h' = o tanh(c')
// peephole   the same, where i and f also see p c, and o sees p c' (Gers & Schmidhuber 2000)
// gru        r, z = s(x + u), n = tanh(x_n + r (u_n + b_n)), h' = (1 - z) n + z h (Cho et al. 2014)
// rnn_tanh   h' = tanh(x + u) (Elman 1990)
// rnn_relu   h' = max(0, x + u) (Le et al. 2015)
//
// and, which the kernels do not know, with L a layer norm of all that it is given (Ba et al. 2016),
//
// coupled            peephole with f = 1 - i (Greff et al. 2017)
// layer_norm_lstm    lstm with L(x) + L(u) for x + u, and h' = o tanh(L(c'))
// layer_norm_gru     gru with L(x) + L(u) for x + u, and L(x_n), L(u_n) by themselves
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

// Whether the kernels know the formula; the functions below are not for others.
inline bool HasKernel(CellKind kind) { return kind <= CellKind::kRnnRelu; }

// How a row of gates is laid out, in units of the size of the state.
struct GateLayout {
  // A range of the rows of weight_hh, and where in a row of gates its gradients are found.
  struct Recurrent {
    int64_t weight = 0;
    int64_t gates = 0;
    int64_t count = 0;
  };

  int64_t projected = 0;  // What inputs contribute: lstm i f g o, gru r z n. Comes first.
  int64_t width = 0;      // Of the whole row: gru also keeps what the state contributes to n.
  bool memory = false;    // Whether the cell has a memory c besides its output h.
  std::vector<Recurrent> recurrent;
};

const GateLayout& LayoutOf(CellKind kind);

// Parameters of the formulas themselves; null where a cell has none.
struct GateWeights {
  const float* peephole = nullptr;     // [3 x hidden], seen by i, f and o.
  const float* hidden_bias = nullptr;  // [hidden], b_n of gru.
};

// One step of some rows. Where `recurrent`, `hidden_before` or `memory_before` is empty it is zero.
struct GateStep {
  Matrix gates;               // [row, width]; in: the projected input; out: what Backward needs.
  ConstMatrix recurrent;      // [row, projected]
  ConstMatrix hidden_before;  // [row, hidden], read by gru alone.
  ConstMatrix memory_before;  // [row, hidden]
  Matrix hidden;              // [row, hidden], out.
  Matrix memory;              // [row, hidden], out.
};

void GatesForward(CellKind kind, const GateWeights& weights, const GateStep& step);

// Gradients of one step.
struct GateStepGradient {
  Matrix gates;               // [row, width]; in: what Forward left; out: their gradients.
  ConstMatrix hidden_before;  // As in Forward.
  ConstMatrix memory_before;
  ConstMatrix hidden;
  ConstMatrix memory;
  Matrix hidden_gradient;  // [row, hidden]; in: of hidden; out: gru's of hidden_before so far.
  Matrix memory_gradient;  // [row, hidden]; in: of memory; out: of memory_before.
};

// The gradient of hidden_before still lacks the products of the gates' gradients with weight_hh; on
// return hidden_gradient holds the rest of it, which is zero for all cells but gru.
void GatesBackward(CellKind kind, const GateWeights& weights, const GateStepGradient& step);

// Adds the gradient of the peepholes over many rows: `gates` from GatesBackward, the memories
// before and after; out [3 x hidden].
void PeepholeGradient(ConstMatrix gates, ConstMatrix memory_before, ConstMatrix memory, float* out);

// values = tanh(values); and gradient = gradient (1 - outputs^2). One thread.
void TanhForward(Matrix values);
void TanhBackward(ConstMatrix outputs, Matrix gradient);

// out = the sums of the columns, [columns].
void SumRows(ConstMatrix values, float* out);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_GATES_H_
