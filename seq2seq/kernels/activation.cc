#include "seq2seq/kernels/activation.h"

#include "seq2seq/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/activation.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

// erf(x), with an absolute error of 2e-7: a quotient of polynomials, as in Eigen.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Erf(D d, V x) {
  x = hn::Min(hn::Max(x, hn::Set(d, -4.0f)), hn::Set(d, 4.0f));
  const V square = hn::Mul(x, x);
  V above = hn::Set(d, -2.72614225801306e-10f);
  for (const float coefficient :
       {2.77068142495902e-08f, -2.10102402082508e-06f, -5.69250639462346e-05f,
        -7.34990630326855e-04f, -2.95459980854025e-03f, -1.60960333262415e-02f}) {
    above = hn::MulAdd(above, square, hn::Set(d, coefficient));
  }
  V below = hn::Set(d, -1.45660718464996e-05f);
  for (const float coefficient : {-2.13374055278905e-04f, -1.68282697438203e-03f,
                                  -7.37332916720468e-03f, -1.42647390514189e-02f}) {
    below = hn::MulAdd(below, square, hn::Set(d, coefficient));
  }
  return hn::Div(hn::Mul(x, above), below);
}

// The standard normal distribution.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Normal(D d, V x) {
  const V half = hn::Set(d, 0.5f);
  return hn::MulAdd(Erf(d, hn::Mul(x, hn::Set(d, 0.70710678f))), half, half);
}

// The kinds, with their value and derivative.
struct Relu {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V Value(D d, V x) {
    return hn::Max(x, hn::Zero(d));
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V Slope(D d, V x) {
    return hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), hn::Set(d, 1.0f));
  }
};

struct Gelu {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V Value(D d, V x) {
    return hn::Mul(x, Normal(d, x));
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V Slope(D d, V x) {
    const V density = hn::Exp(d, hn::Mul(hn::Mul(x, x), hn::Set(d, -0.5f)));
    return hn::MulAdd(hn::Mul(x, hn::Set(d, 0.39894228f)), density, Normal(d, x));
  }
};

struct Silu {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V Value(D d, V x) {
    return hn::Mul(x, FastSigmoid(d, x));
  }
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V Slope(D d, V x) {
    const V sigmoid = FastSigmoid(d, x);
    return hn::Mul(sigmoid, hn::MulAdd(x, hn::Sub(hn::Set(d, 1.0f), sigmoid), hn::Set(d, 1.0f)));
  }
};

// Calls run(kind) with the struct of a kind.
template <typename Run>
void WithKind(ActivationKind kind, const Run& run) {
  switch (kind) {
    case ActivationKind::kRelu:
      return run(Relu());
    case ActivationKind::kGelu:
      return run(Gelu());
    case ActivationKind::kSilu:
      return run(Silu());
  }
}

template <class Kind>
void ActivateRowsOf(ConstMatrix values, Matrix output) {
  for (int64_t row = 0; row < output.rows; ++row) {
    const float* value = values.row(row);
    float* out = output.row(row);
    ForEach(output.columns, [&](auto d, int64_t i) HWY_ATTR {
      hn::StoreU(Kind::Value(d, hn::LoadU(d, value + i)), d, out + i);
    });
  }
}

template <class Kind>
void ActivateRowsBackwardOf(ConstMatrix values, ConstMatrix output_gradient, Matrix gradient) {
  for (int64_t row = 0; row < gradient.rows; ++row) {
    const float* value = values.row(row);
    const float* of_output = output_gradient.row(row);
    float* of_value = gradient.row(row);
    ForEach(gradient.columns, [&](auto d, int64_t i) HWY_ATTR {
      const auto slope = Kind::Slope(d, hn::LoadU(d, value + i));
      hn::StoreU(hn::Mul(hn::LoadU(d, of_output + i), slope), d, of_value + i);
    });
  }
}

template <class Kind>
void ActivateGatedRowsOf(ConstMatrix gates, ConstMatrix values, Matrix output) {
  for (int64_t row = 0; row < output.rows; ++row) {
    const float* gate = gates.row(row);
    const float* value = values.row(row);
    float* out = output.row(row);
    ForEach(output.columns, [&](auto d, int64_t i) HWY_ATTR {
      const auto open = Kind::Value(d, hn::LoadU(d, gate + i));
      hn::StoreU(hn::Mul(open, hn::LoadU(d, value + i)), d, out + i);
    });
  }
}

template <class Kind>
void ActivateGatedRowsBackwardOf(ConstMatrix gates, ConstMatrix values, ConstMatrix output_gradient,
                                 Matrix gate_gradient, Matrix value_gradient) {
  for (int64_t row = 0; row < output_gradient.rows; ++row) {
    const float* gate = gates.row(row);
    const float* value = values.row(row);
    const float* of_output = output_gradient.row(row);
    float* of_gate = gate_gradient.row(row);
    float* of_value = value_gradient.row(row);
    ForEach(output_gradient.columns, [&](auto d, int64_t i) HWY_ATTR {
      const auto x = hn::LoadU(d, gate + i);
      const auto v = hn::LoadU(d, value + i);
      const auto g = hn::LoadU(d, of_output + i);
      hn::StoreU(hn::Mul(hn::Mul(g, v), Kind::Slope(d, x)), d, of_gate + i);
      hn::StoreU(hn::Mul(g, Kind::Value(d, x)), d, of_value + i);
    });
  }
}

void ActivateRows(ActivationKind kind, ConstMatrix values, Matrix output) {
  WithKind(kind, [&](auto of) { ActivateRowsOf<decltype(of)>(values, output); });
}

void ActivateRowsBackward(ActivationKind kind, ConstMatrix values, ConstMatrix output_gradient,
                          Matrix gradient) {
  WithKind(kind, [&](auto of) {
    ActivateRowsBackwardOf<decltype(of)>(values, output_gradient, gradient);
  });
}

void ActivateGatedRows(ActivationKind kind, ConstMatrix gates, ConstMatrix values, Matrix output) {
  WithKind(kind, [&](auto of) { ActivateGatedRowsOf<decltype(of)>(gates, values, output); });
}

void ActivateGatedRowsBackward(ActivationKind kind, ConstMatrix gates, ConstMatrix values,
                               ConstMatrix output_gradient, Matrix gate_gradient,
                               Matrix value_gradient) {
  WithKind(kind, [&](auto of) {
    ActivateGatedRowsBackwardOf<decltype(of)>(gates, values, output_gradient, gate_gradient,
                                              value_gradient);
  });
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(ActivateRows);
HWY_EXPORT(ActivateRowsBackward);
HWY_EXPORT(ActivateGatedRows);
HWY_EXPORT(ActivateGatedRowsBackward);

namespace {

constexpr int64_t kGrain = 16;  // Fewest rows that are worth another thread.

}  // namespace

void Activate(ActivationKind kind, ConstMatrix values, Matrix output) {
  ParallelRanges(output.rows, kGrain, [&](int64_t begin, int64_t end) {
    const int64_t count = end - begin;
    HWY_DYNAMIC_DISPATCH(ActivateRows)
    (kind, values.Rows(begin, count), output.Rows(begin, count));
  });
}

void ActivateBackward(ActivationKind kind, ConstMatrix values, ConstMatrix output_gradient,
                      Matrix gradient) {
  ParallelRanges(gradient.rows, kGrain, [&](int64_t begin, int64_t end) {
    const int64_t count = end - begin;
    HWY_DYNAMIC_DISPATCH(ActivateRowsBackward)
    (kind, values.Rows(begin, count), output_gradient.Rows(begin, count),
     gradient.Rows(begin, count));
  });
}

void ActivateGated(ActivationKind kind, ConstMatrix gates, ConstMatrix values, Matrix output) {
  ParallelRanges(output.rows, kGrain, [&](int64_t begin, int64_t end) {
    const int64_t count = end - begin;
    HWY_DYNAMIC_DISPATCH(ActivateGatedRows)
    (kind, gates.Rows(begin, count), values.Rows(begin, count), output.Rows(begin, count));
  });
}

void ActivateGatedBackward(ActivationKind kind, ConstMatrix gates, ConstMatrix values,
                           ConstMatrix output_gradient, Matrix gate_gradient,
                           Matrix value_gradient) {
  ParallelRanges(output_gradient.rows, kGrain, [&](int64_t begin, int64_t end) {
    const int64_t count = end - begin;
    HWY_DYNAMIC_DISPATCH(ActivateGatedRowsBackward)
    (kind, gates.Rows(begin, count), values.Rows(begin, count), output_gradient.Rows(begin, count),
     gate_gradient.Rows(begin, count), value_gradient.Rows(begin, count));
  });
}

}  // namespace seq2seq
#endif  // HWY_ONCE
