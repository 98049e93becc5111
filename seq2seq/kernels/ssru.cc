#include "seq2seq/kernels/ssru.h"

#include "seq2seq/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "seq2seq/kernels/ssru.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "seq2seq/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace seq2seq::HWY_NAMESPACE {

// A row of a time step; `before` may be null, and may be `cell_state`.
void StepRow(const float* input, const float* forget, const float* before, int64_t size,
             float* cell_state, float* hidden) {
  ForEach(size, [&](auto d, int64_t i) HWY_ATTR {
    const auto x = hn::LoadU(d, input + i);
    const auto f = FastSigmoid(d, hn::LoadU(d, forget + i));
    const auto c_before = before == nullptr ? hn::Zero(d) : hn::LoadU(d, before + i);
    const auto c = hn::MulAdd(f, hn::Sub(c_before, x), x);
    hn::StoreU(c, d, cell_state + i);
    hn::StoreU(hn::Max(c, hn::Zero(d)), d, hidden + i);
  });
}

void StepRows(const SsruInput& inputs, ConstMatrix before, Matrix cell_state, Matrix hidden) {
  for (int64_t row = 0; row < hidden.rows; ++row) {
    StepRow(inputs.input.row(row), inputs.forget.row(row),
            before.data == nullptr ? nullptr : before.row(row), hidden.columns, cell_state.row(row),
            hidden.row(row));
  }
}

void ScanRows(const SsruInput& inputs, Matrix cell_state, Matrix hidden) {
  for (int64_t row = 0; row < hidden.rows; ++row) {
    StepRow(inputs.input.row(row), inputs.forget.row(row),
            row == 0 ? nullptr : cell_state.row(row - 1), hidden.columns, cell_state.row(row),
            hidden.row(row));
  }
}

// Leaves in row t - 1 of `input_gradient` the gradient of c_{t-1} through c_t, until the step
// before replaces it.
void ScanRowsBackward(const SsruInput& inputs, ConstMatrix cell_state, ConstMatrix hidden_gradient,
                      Matrix input_gradient, Matrix forget_gradient) {
  const int64_t rows = hidden_gradient.rows;
  for (int64_t row = rows - 1; row >= 0; --row) {
    const float* HWY_RESTRICT input = inputs.input.row(row);
    const float* HWY_RESTRICT forget = inputs.forget.row(row);
    const float* HWY_RESTRICT c_after = cell_state.row(row);
    const float* HWY_RESTRICT c_before = row == 0 ? nullptr : cell_state.row(row - 1);
    const float* HWY_RESTRICT of_hidden = hidden_gradient.row(row);
    float* HWY_RESTRICT of_input = input_gradient.row(row);
    float* HWY_RESTRICT of_forget = forget_gradient.row(row);
    float* HWY_RESTRICT of_before = row == 0 ? nullptr : input_gradient.row(row - 1);
    ForEach(hidden_gradient.columns, [&](auto d, int64_t i) HWY_ATTR {
      const auto later = row == rows - 1 ? hn::Zero(d) : hn::LoadU(d, of_input + i);
      const auto positive = hn::Gt(hn::LoadU(d, c_after + i), hn::Zero(d));
      const auto dc = hn::Add(later, hn::IfThenElseZero(positive, hn::LoadU(d, of_hidden + i)));
      const auto before = row == 0 ? hn::Zero(d) : hn::LoadU(d, c_before + i);
      const auto f = FastSigmoid(d, hn::LoadU(d, forget + i));
      const auto through_f = hn::Mul(dc, f);
      const auto through_input = hn::Sub(dc, through_f);
      const auto difference = hn::Sub(before, hn::LoadU(d, input + i));
      // dc f (1 - f) (c_before - x).
      hn::StoreU(hn::Mul(hn::Mul(through_input, f), difference), d, of_forget + i);
      hn::StoreU(through_input, d, of_input + i);
      if (row > 0) hn::StoreU(through_f, d, of_before + i);
    });
  }
}

}  // namespace seq2seq::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seq2seq {
HWY_EXPORT(StepRows);
HWY_EXPORT(ScanRows);
HWY_EXPORT(ScanRowsBackward);

void SsruForward(const SequenceRows& rows, const SsruInput& inputs, Matrix cell_state,
                 Matrix hidden) {
  ParallelFor(rows.batch(), [&](int64_t sequence) {
    HWY_DYNAMIC_DISPATCH(ScanRows)
    ({rows.Of(inputs.input, sequence), rows.Of(inputs.forget, sequence)},
     rows.Of(cell_state, sequence), rows.Of(hidden, sequence));
  });
  Clear(rows.Tail(cell_state));
  Clear(rows.Tail(hidden));
}

void SsruBackward(const SequenceRows& rows, const SsruInput& inputs, ConstMatrix cell_state,
                  ConstMatrix hidden_gradient, Matrix input_gradient, Matrix forget_gradient) {
  ParallelFor(rows.batch(), [&](int64_t sequence) {
    HWY_DYNAMIC_DISPATCH(ScanRowsBackward)
    ({rows.Of(inputs.input, sequence), rows.Of(inputs.forget, sequence)},
     rows.Of(cell_state, sequence), rows.Of(hidden_gradient, sequence),
     rows.Of(input_gradient, sequence), rows.Of(forget_gradient, sequence));
  });
  Clear(rows.Tail(input_gradient));
  Clear(rows.Tail(forget_gradient));
}

void SsruStep(const SsruInput& inputs, ConstMatrix cell_state_before, Matrix cell_state,
              Matrix hidden) {
  HWY_DYNAMIC_DISPATCH(StepRows)(inputs, cell_state_before, cell_state, hidden);
}

}  // namespace seq2seq
#endif  // HWY_ONCE
