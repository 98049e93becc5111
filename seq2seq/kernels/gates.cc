#include "seq2seq/kernels/gates.h"

#include <algorithm>
#include <cmath>

#include "seq2seq/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/gates.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

// A row of a matrix, or zeros if that is empty.
struct OptionalRow {
  OptionalRow(ConstMatrix matrix, int64_t index)
      : values(matrix.data == nullptr ? nullptr : matrix.row(index)) {}

  template <class D>
  HWY_INLINE hn::Vec<D> Load(D d, int64_t i) const {
    return values == nullptr ? hn::Zero(d) : hn::LoadU(d, values + i);
  }

  const float* values;
};

// a' = a (1 - a), for a logistic a.
template <class V>
HWY_INLINE V SigmoidSlope(V a) {
  return hn::NegMulAdd(a, a, a);
}

// a' = 1 - a^2, for a hyperbolic tangent a.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V TanhSlope(D d, V a) {
  return hn::NegMulAdd(a, a, hn::Set(d, 1.0f));
}

template <bool kPeephole>
void LstmForwardRows(const GateWeights& weights, const GateStep& step) {
  const int64_t size = step.hidden.columns;
  for (int64_t row = 0; row < step.hidden.rows; ++row) {
    float* HWY_RESTRICT gates = step.gates.row(row);
    const OptionalRow recurrent(step.recurrent, row);
    const OptionalRow before(step.cell_state_before, row);
    float* HWY_RESTRICT hidden = step.hidden.row(row);
    float* HWY_RESTRICT cell_state = step.cell_state.row(row);
    ForEach(size, [&](auto d, int64_t j) HWY_ATTR {
      const auto sum = [&](int64_t gate) HWY_ATTR {
        return hn::Add(hn::LoadU(d, gates + gate * size + j), recurrent.Load(d, gate * size + j));
      };
      const auto with_peephole = [&](auto value, int64_t gate, auto cell) HWY_ATTR {
        if constexpr (!kPeephole) return value;
        return hn::MulAdd(hn::LoadU(d, weights.peephole + gate * size + j), cell, value);
      };
      const auto c_before = before.Load(d, j);
      const auto in = FastSigmoid(d, with_peephole(sum(0), 0, c_before));
      const auto forget = FastSigmoid(d, with_peephole(sum(1), 1, c_before));
      const auto cell = FastTanh(d, sum(2));
      const auto c = hn::MulAdd(forget, c_before, hn::Mul(in, cell));
      const auto out = FastSigmoid(d, with_peephole(sum(3), 2, c));
      hn::StoreU(in, d, gates + j);
      hn::StoreU(forget, d, gates + size + j);
      hn::StoreU(cell, d, gates + 2 * size + j);
      hn::StoreU(out, d, gates + 3 * size + j);
      hn::StoreU(c, d, cell_state + j);
      hn::StoreU(hn::Mul(out, FastTanh(d, c)), d, hidden + j);
    });
  }
}

template <bool kPeephole>
void LstmBackwardRows(const GateWeights& weights, const GateStepGradient& step) {
  const int64_t size = step.hidden.columns;
  for (int64_t row = 0; row < step.hidden.rows; ++row) {
    float* HWY_RESTRICT gates = step.gates.row(row);
    const OptionalRow before(step.cell_state_before, row);
    const float* HWY_RESTRICT cell_state = step.cell_state.row(row);
    float* HWY_RESTRICT hidden_gradient = step.hidden_gradient.row(row);
    float* HWY_RESTRICT cell_state_gradient = step.cell_state_gradient.row(row);
    ForEach(size, [&](auto d, int64_t j) HWY_ATTR {
      const auto in = hn::LoadU(d, gates + j);
      const auto forget = hn::LoadU(d, gates + size + j);
      const auto cell = hn::LoadU(d, gates + 2 * size + j);
      const auto out = hn::LoadU(d, gates + 3 * size + j);
      const auto squashed = FastTanh(d, hn::LoadU(d, cell_state + j));
      const auto dh = hn::LoadU(d, hidden_gradient + j);
      const auto d_out = hn::Mul(hn::Mul(dh, squashed), SigmoidSlope(out));
      auto dc = hn::MulAdd(hn::Mul(dh, out), TanhSlope(d, squashed),
                           hn::LoadU(d, cell_state_gradient + j));
      if constexpr (kPeephole) {
        dc = hn::MulAdd(d_out, hn::LoadU(d, weights.peephole + 2 * size + j), dc);
      }
      const auto d_in = hn::Mul(hn::Mul(dc, cell), SigmoidSlope(in));
      const auto d_forget = hn::Mul(hn::Mul(dc, before.Load(d, j)), SigmoidSlope(forget));
      auto dc_before = hn::Mul(dc, forget);
      if constexpr (kPeephole) {
        dc_before = hn::MulAdd(d_in, hn::LoadU(d, weights.peephole + j), dc_before);
        dc_before = hn::MulAdd(d_forget, hn::LoadU(d, weights.peephole + size + j), dc_before);
      }
      hn::StoreU(d_in, d, gates + j);
      hn::StoreU(d_forget, d, gates + size + j);
      hn::StoreU(hn::Mul(hn::Mul(dc, in), TanhSlope(d, cell)), d, gates + 2 * size + j);
      hn::StoreU(d_out, d, gates + 3 * size + j);
      hn::StoreU(dc_before, d, cell_state_gradient + j);
      hn::StoreU(hn::Zero(d), d, hidden_gradient + j);
    });
  }
}

// Stores r, z, n and the contribution of the hidden state to n.
void GruForwardRows(const GateWeights& weights, const GateStep& step) {
  const int64_t size = step.hidden.columns;
  for (int64_t row = 0; row < step.hidden.rows; ++row) {
    float* HWY_RESTRICT gates = step.gates.row(row);
    const OptionalRow recurrent(step.recurrent, row);
    const OptionalRow before(step.hidden_before, row);
    float* HWY_RESTRICT hidden = step.hidden.row(row);
    ForEach(size, [&](auto d, int64_t j) HWY_ATTR {
      const auto sum = [&](int64_t gate) HWY_ATTR {
        return hn::Add(hn::LoadU(d, gates + gate * size + j), recurrent.Load(d, gate * size + j));
      };
      const auto reset = FastSigmoid(d, sum(0));
      const auto update = FastSigmoid(d, sum(1));
      const auto past =
          hn::Add(recurrent.Load(d, 2 * size + j), hn::LoadU(d, weights.hidden_bias + j));
      const auto fresh = FastTanh(d, hn::MulAdd(reset, past, hn::LoadU(d, gates + 2 * size + j)));
      hn::StoreU(reset, d, gates + j);
      hn::StoreU(update, d, gates + size + j);
      hn::StoreU(fresh, d, gates + 2 * size + j);
      hn::StoreU(past, d, gates + 3 * size + j);
      hn::StoreU(hn::MulAdd(update, hn::Sub(before.Load(d, j), fresh), fresh), d, hidden + j);
    });
  }
}

void GruBackwardRows(const GateWeights& weights, const GateStepGradient& step) {
  const int64_t size = step.hidden.columns;
  for (int64_t row = 0; row < step.hidden.rows; ++row) {
    float* HWY_RESTRICT gates = step.gates.row(row);
    const OptionalRow before(step.hidden_before, row);
    float* HWY_RESTRICT hidden_gradient = step.hidden_gradient.row(row);
    ForEach(size, [&](auto d, int64_t j) HWY_ATTR {
      const auto reset = hn::LoadU(d, gates + j);
      const auto update = hn::LoadU(d, gates + size + j);
      const auto fresh = hn::LoadU(d, gates + 2 * size + j);
      const auto past = hn::LoadU(d, gates + 3 * size + j);
      const auto dh = hn::LoadU(d, hidden_gradient + j);
      const auto d_update =
          hn::Mul(hn::Mul(dh, hn::Sub(before.Load(d, j), fresh)), SigmoidSlope(update));
      const auto d_fresh = hn::Mul(hn::NegMulAdd(dh, update, dh), TanhSlope(d, fresh));
      hn::StoreU(hn::Mul(hn::Mul(d_fresh, past), SigmoidSlope(reset)), d, gates + j);
      hn::StoreU(d_update, d, gates + size + j);
      hn::StoreU(d_fresh, d, gates + 2 * size + j);
      hn::StoreU(hn::Mul(d_fresh, reset), d, gates + 3 * size + j);
      hn::StoreU(hn::Mul(dh, update), d, hidden_gradient + j);
    });
  }
}

template <bool kRelu>
void RnnForwardRows(const GateWeights& weights, const GateStep& step) {
  for (int64_t row = 0; row < step.hidden.rows; ++row) {
    const float* HWY_RESTRICT gates = step.gates.row(row);
    const OptionalRow recurrent(step.recurrent, row);
    float* HWY_RESTRICT hidden = step.hidden.row(row);
    ForEach(step.hidden.columns, [&](auto d, int64_t j) HWY_ATTR {
      const auto sum = hn::Add(hn::LoadU(d, gates + j), recurrent.Load(d, j));
      if constexpr (kRelu) {
        hn::StoreU(hn::Max(sum, hn::Zero(d)), d, hidden + j);
      } else {
        hn::StoreU(FastTanh(d, sum), d, hidden + j);
      }
    });
  }
}

template <bool kRelu>
void RnnBackwardRows(const GateWeights& weights, const GateStepGradient& step) {
  for (int64_t row = 0; row < step.hidden.rows; ++row) {
    float* HWY_RESTRICT gates = step.gates.row(row);
    const float* HWY_RESTRICT hidden = step.hidden.row(row);
    float* HWY_RESTRICT hidden_gradient = step.hidden_gradient.row(row);
    ForEach(step.hidden.columns, [&](auto d, int64_t j) HWY_ATTR {
      const auto h = hn::LoadU(d, hidden + j);
      const auto dh = hn::LoadU(d, hidden_gradient + j);
      if constexpr (kRelu) {
        hn::StoreU(hn::IfThenElseZero(hn::Gt(h, hn::Zero(d)), dh), d, gates + j);
      } else {
        hn::StoreU(hn::Mul(dh, TanhSlope(d, h)), d, gates + j);
      }
      hn::StoreU(hn::Zero(d), d, hidden_gradient + j);
    });
  }
}

// LSTM whose forget gate is 1 - i.
void CoupledForwardRows(const GateWeights& weights, const GateStep& step) {
  const int64_t size = step.hidden.columns;
  for (int64_t row = 0; row < step.hidden.rows; ++row) {
    const float* HWY_RESTRICT gates = step.gates.row(row);
    const OptionalRow recurrent(step.recurrent, row);
    const OptionalRow before(step.cell_state_before, row);
    float* HWY_RESTRICT hidden = step.hidden.row(row);
    float* HWY_RESTRICT cell_state = step.cell_state.row(row);
    ForEach(size, [&](auto d, int64_t j) HWY_ATTR {
      const auto sum = [&](int64_t gate) HWY_ATTR {
        return hn::Add(hn::LoadU(d, gates + gate * size + j), recurrent.Load(d, gate * size + j));
      };
      const auto c_before = before.Load(d, j);
      const auto in =
          FastSigmoid(d, hn::MulAdd(hn::LoadU(d, weights.peephole + j), c_before, sum(0)));
      const auto c = hn::MulAdd(in, hn::Sub(FastTanh(d, sum(1)), c_before), c_before);
      const auto out =
          FastSigmoid(d, hn::MulAdd(hn::LoadU(d, weights.peephole + size + j), c, sum(2)));
      hn::StoreU(c, d, cell_state + j);
      hn::StoreU(hn::Mul(out, FastTanh(d, c)), d, hidden + j);
    });
  }
}

// Layer normalisation of a range of values (Ba et al. 2016), without gain and bias.
class Normalization {
 public:
  Normalization(const OptionalRow& row, int64_t begin, int64_t size)
      : values_(row.values == nullptr ? nullptr : row.values + begin) {
    if (values_ == nullptr) return;  // Zeros stay zero.
    mean_ = Sum(size, [](auto d, auto value) HWY_ATTR { return value; }) / static_cast<float>(size);
    const float mean = mean_;
    const float squares = Sum(size, [mean](auto d, auto value) HWY_ATTR {
      const auto difference = hn::Sub(value, hn::Set(d, mean));
      return hn::Mul(difference, difference);
    });
    scale_ = 1 / std::sqrt(squares / static_cast<float>(size) + 1e-5f);
  }

  template <class D>
  HWY_INLINE hn::Vec<D> Load(D d, int64_t i) const {
    if (values_ == nullptr) return hn::Zero(d);
    return hn::Mul(hn::Sub(hn::LoadU(d, values_ + i), hn::Set(d, mean_)), hn::Set(d, scale_));
  }

 private:
  template <typename Term>
  HWY_INLINE float Sum(int64_t size, const Term& term) const {
    const int64_t whole = size / LaneSums::kLanes * LaneSums::kLanes;
    LaneSums sums;
    sums.Add(whole, [&](auto d, int64_t i, auto sum)
                        HWY_ATTR { return hn::Add(sum, term(d, hn::LoadU(d, values_ + i))); });
    float rest = 0;
    for (int64_t i = whole; i < size; ++i)
      rest += hn::GetLane(term(One(), hn::Set(One(), values_[i])));
    return sums.Total() + rest;
  }

  const float* values_;
  float mean_ = 0;
  float scale_ = 0;
};

// L(x) gain + bias, at position i of all gates.
template <class D>
HWY_INLINE hn::Vec<D> Normalized(D d, const Normalization& norm, int64_t within, const float* gain,
                                 const float* bias, int64_t i) {
  return hn::MulAdd(norm.Load(d, within), hn::LoadU(d, gain + i), hn::LoadU(d, bias + i));
}

void LayerNormLstmForwardRows(const GateWeights& weights, const GateStep& step) {
  const int64_t size = step.hidden.columns;
  for (int64_t row = 0; row < step.hidden.rows; ++row) {
    const Normalization projected({step.gates, row}, 0, 4 * size);
    const Normalization recurrent({step.recurrent, row}, 0, 4 * size);
    const OptionalRow before(step.cell_state_before, row);
    float* hidden = step.hidden.row(row);
    float* cell_state = step.cell_state.row(row);
    const auto sum = [&](auto d, int64_t gate, int64_t j) HWY_ATTR {
      const int64_t i = gate * size + j;
      return hn::Add(Normalized(d, projected, i, weights.input_gain, weights.input_bias, i),
                     Normalized(d, recurrent, i, weights.hidden_gain, weights.hidden_bias, i));
    };
    ForEach(size, [&](auto d, int64_t j) HWY_ATTR {
      const auto kept = hn::Mul(FastSigmoid(d, sum(d, 1, j)), before.Load(d, j));
      const auto c = hn::MulAdd(FastSigmoid(d, sum(d, 0, j)), FastTanh(d, sum(d, 2, j)), kept);
      hn::StoreU(c, d, cell_state + j);
    });
    const Normalization normalized({step.cell_state, row}, 0, size);
    ForEach(size, [&](auto d, int64_t j) HWY_ATTR {
      const auto c =
          Normalized(d, normalized, j, weights.cell_state_gain, weights.cell_state_bias, j);
      hn::StoreU(hn::Mul(FastSigmoid(d, sum(d, 3, j)), FastTanh(d, c)), d, hidden + j);
    });
  }
}

// Reset and update gate are normalised together, the new gate by itself.
void LayerNormGruForwardRows(const GateWeights& weights, const GateStep& step) {
  const int64_t size = step.hidden.columns;
  for (int64_t row = 0; row < step.hidden.rows; ++row) {
    const Normalization projected({step.gates, row}, 0, 2 * size);
    const Normalization projected_new({step.gates, row}, 2 * size, size);
    const Normalization recurrent({step.recurrent, row}, 0, 2 * size);
    const Normalization recurrent_new({step.recurrent, row}, 2 * size, size);
    const OptionalRow before(step.hidden_before, row);
    float* hidden = step.hidden.row(row);
    ForEach(size, [&](auto d, int64_t j) HWY_ATTR {
      const auto input = [&](const Normalization& norm, int64_t within, int64_t i) HWY_ATTR {
        return Normalized(d, norm, within, weights.input_gain, weights.input_bias, i);
      };
      const auto past = [&](const Normalization& norm, int64_t within, int64_t i) HWY_ATTR {
        return Normalized(d, norm, within, weights.hidden_gain, weights.hidden_bias, i);
      };
      const auto reset = FastSigmoid(d, hn::Add(input(projected, j, j), past(recurrent, j, j)));
      const int64_t i = size + j;
      const auto update = FastSigmoid(d, hn::Add(input(projected, i, i), past(recurrent, i, i)));
      const auto fresh = FastTanh(d, hn::MulAdd(reset, past(recurrent_new, j, 2 * size + j),
                                                input(projected_new, j, 2 * size + j)));
      hn::StoreU(hn::MulAdd(update, hn::Sub(before.Load(d, j), fresh), fresh), d, hidden + j);
    });
  }
}

void ForwardRows(CellKind kind, const GateWeights& weights, const GateStep& step) {
  switch (kind) {
    case CellKind::kLstm:
      return LstmForwardRows<false>(weights, step);
    case CellKind::kPeephole:
      return LstmForwardRows<true>(weights, step);
    case CellKind::kGru:
      return GruForwardRows(weights, step);
    case CellKind::kRnnTanh:
      return RnnForwardRows<false>(weights, step);
    case CellKind::kRnnRelu:
      return RnnForwardRows<true>(weights, step);
    case CellKind::kCoupled:
      return CoupledForwardRows(weights, step);
    case CellKind::kLayerNormLstm:
      return LayerNormLstmForwardRows(weights, step);
    case CellKind::kLayerNormGru:
      return LayerNormGruForwardRows(weights, step);
  }
}

void BackwardRows(CellKind kind, const GateWeights& weights, const GateStepGradient& step) {
  switch (kind) {
    case CellKind::kLstm:
      return LstmBackwardRows<false>(weights, step);
    case CellKind::kPeephole:
      return LstmBackwardRows<true>(weights, step);
    case CellKind::kGru:
      return GruBackwardRows(weights, step);
    case CellKind::kRnnTanh:
      return RnnBackwardRows<false>(weights, step);
    case CellKind::kRnnRelu:
      return RnnBackwardRows<true>(weights, step);
    case CellKind::kCoupled:
    case CellKind::kLayerNormLstm:
    case CellKind::kLayerNormGru:
      HWY_ABORT("this cell has no training kernel");
  }
}

void TanhRows(Matrix values) {
  for (int64_t row = 0; row < values.rows; ++row) {
    float* HWY_RESTRICT value = values.row(row);
    ForEach(values.columns, [&](auto d, int64_t j) HWY_ATTR {
      hn::StoreU(FastTanh(d, hn::LoadU(d, value + j)), d, value + j);
    });
  }
}

void TanhBackwardRows(ConstMatrix outputs, Matrix gradient) {
  for (int64_t row = 0; row < gradient.rows; ++row) {
    const float* HWY_RESTRICT output = outputs.row(row);
    float* HWY_RESTRICT value = gradient.row(row);
    ForEach(gradient.columns, [&](auto d, int64_t j) HWY_ATTR {
      const auto slope = TanhSlope(d, hn::LoadU(d, output + j));
      hn::StoreU(hn::Mul(hn::LoadU(d, value + j), slope), d, value + j);
    });
  }
}

// out[begin, end) += the column sums of `values`, elementwise times `factors` unless that is empty.
void AddColumns(ConstMatrix values, ConstMatrix factors, int64_t begin, int64_t end, float* out) {
  for (int64_t row = 0; row < values.rows; ++row) {
    const float* HWY_RESTRICT value = values.row(row) + begin;
    float* HWY_RESTRICT sum = out + begin;
    if (factors.data == nullptr) {
      ForEach(end - begin, [&](auto d, int64_t j) HWY_ATTR {
        hn::StoreU(hn::Add(hn::LoadU(d, sum + j), hn::LoadU(d, value + j)), d, sum + j);
      });
    } else {
      const float* HWY_RESTRICT factor = factors.row(row) + begin;
      ForEach(end - begin, [&](auto d, int64_t j) HWY_ATTR {
        hn::StoreU(
            hn::MulAdd(hn::LoadU(d, factor + j), hn::LoadU(d, value + j), hn::LoadU(d, sum + j)), d,
            sum + j);
      });
    }
  }
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(ForwardRows);
HWY_EXPORT(BackwardRows);
HWY_EXPORT(AddColumns);
HWY_EXPORT(TanhRows);
HWY_EXPORT(TanhBackwardRows);

const GateLayout& LayoutOf(CellKind kind) {
  static const auto* lstm = new GateLayout{4, 4, {{0, 0, 4}}, 4};
  static const auto* peephole = new GateLayout{4, 4, {{0, 0, 4}}, 4, 3};
  static const auto* gru = new GateLayout{3, 4, {{0, 0, 2}, {2, 3, 1}}, 2};
  static const auto* rnn = new GateLayout{1, 1, {{0, 0, 1}}, 1};
  static const auto* coupled = new GateLayout{3, 3, {}, 3, 2};
  static const auto* layer_norm_lstm = new GateLayout{4, 4, {}, 0, 0, true};
  static const auto* layer_norm_gru = new GateLayout{3, 3, {}, 0, 0, true};
  switch (kind) {
    case CellKind::kLstm:
      return *lstm;
    case CellKind::kPeephole:
      return *peephole;
    case CellKind::kGru:
      return *gru;
    case CellKind::kRnnTanh:
    case CellKind::kRnnRelu:
      return *rnn;
    case CellKind::kCoupled:
      return *coupled;
    case CellKind::kLayerNormLstm:
      return *layer_norm_lstm;
    case CellKind::kLayerNormGru:
      return *layer_norm_gru;
  }
  HWY_ABORT("not a cell");
}

void GatesForward(CellKind kind, const GateWeights& weights, const GateStep& step) {
  HWY_DYNAMIC_DISPATCH(ForwardRows)(kind, weights, step);
}

void GatesBackward(CellKind kind, const GateWeights& weights, const GateStepGradient& step) {
  HWY_DYNAMIC_DISPATCH(BackwardRows)(kind, weights, step);
}

void TanhForward(Matrix values) { HWY_DYNAMIC_DISPATCH(TanhRows)(values); }

void TanhBackward(ConstMatrix outputs, Matrix gradient) {
  HWY_DYNAMIC_DISPATCH(TanhBackwardRows)(outputs, gradient);
}

void PeepholeGradient(ConstMatrix gates, ConstMatrix cell_state_before, ConstMatrix cell_state,
                      float* out) {
  const int64_t size = cell_state.columns;
  ParallelRanges(size, 64, [&](int64_t begin, int64_t end) {
    const ConstMatrix cell_states[] = {cell_state_before, cell_state_before, cell_state};
    const int64_t gate[] = {0, 1, 3};
    for (size_t i = 0; i < 3; ++i) {
      HWY_DYNAMIC_DISPATCH(AddColumns)
      (gates.Columns(gate[i] * size, size), cell_states[i], begin, end,
       out + static_cast<int64_t>(i) * size);
    }
  });
}

void SumRows(ConstMatrix values, float* out) {
  ParallelRanges(values.columns, 64, [&](int64_t begin, int64_t end) {
    std::fill(out + begin, out + end, 0.0f);
    HWY_DYNAMIC_DISPATCH(AddColumns)(values, ConstMatrix(), begin, end, out);
  });
}

}  // namespace seq2seq
#endif  // HWY_ONCE
