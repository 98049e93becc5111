#include "seq2seq/kernels/recurrent.h"

#include <algorithm>

#include "seq2seq/kernels/parallel.h"

namespace seq2seq {
namespace {

// A direction of a layer for a group: the time steps in the order of its recurrence.
class Walk {
 public:
  Walk(const PackedSequence& steps, int64_t group, bool from_right)
      : steps_(steps), group_(group), from_right_(from_right) {}

  int64_t size() const { return steps_.steps(); }
  int64_t step(int64_t index) const { return from_right_ ? size() - 1 - index : index; }

  // How many rows of the time step, the first ones, have a previous one.
  int64_t Past(int64_t index) const {
    if (index == 0) return 0;
    return std::min(steps_.count(step(index), group_), steps_.count(step(index - 1), group_));
  }

  template <typename T>
  MatrixView<T> Of(MatrixView<T> rows, int64_t index) const {
    return steps_.Of(rows, step(index), group_);
  }

  int64_t rows() const { return steps_.size(group_); }

 private:
  const PackedSequence& steps_;
  int64_t group_;
  bool from_right_;
};

void WalkForward(const PackedCell& cell, const Walk& walk, Matrix gates, Matrix hidden,
                 Matrix cell_state) {
  const Buffer products(walk.rows(), cell.hidden.columns());
  for (int64_t i = 0; i < walk.size(); ++i) {
    const int64_t past = walk.Past(i);
    GateStep step;
    step.gates = walk.Of(gates, i);
    step.hidden = walk.Of(hidden, i);
    if (cell_state.data != nullptr) step.cell_state = walk.Of(cell_state, i);
    if (past > 0) {
      GateStep reached = step;
      reached.gates = First(step.gates, past);
      reached.hidden = First(step.hidden, past);
      reached.cell_state = First(step.cell_state, past);
      reached.hidden_before = First<const float>(walk.Of(hidden, i - 1), past);
      if (cell_state.data != nullptr) {
        reached.cell_state_before = First<const float>(walk.Of(cell_state, i - 1), past);
      }
      Multiply(reached.hidden_before, cell.hidden, First(products.view(), past));
      reached.recurrent = First(products.view(), past);
      GatesForward(cell.kind, cell.formula, reached);
    }
    step.gates = Rest(step.gates, past);
    step.hidden = Rest(step.hidden, past);
    step.cell_state = Rest(step.cell_state, past);
    GatesForward(cell.kind, cell.formula, step);
  }
}

void WalkBackward(CellKind kind, const Walk& walk, const HiddenGradient& hidden_gradient,
                  const GateWeights& formula, Matrix gates, ConstMatrix hidden,
                  ConstMatrix cell_state, const RecurrentOutputGradient& output_gradient) {
  const Buffer hidden_carry(walk.rows(), hidden.columns);
  const Buffer cell_state_carry(walk.rows(), hidden.columns);
  Clear(hidden_carry.view());
  Clear(cell_state_carry.view());
  for (int64_t i = walk.size() - 1; i >= 0; --i) {
    const int64_t past = walk.Past(i);
    const Matrix all = walk.Of(gates, i);
    Add(walk.Of(output_gradient.output, i), First(hidden_carry.view(), all.rows));
    if (output_gradient.cell_state.data != nullptr)
      Add(walk.Of(output_gradient.cell_state, i), First(cell_state_carry.view(), all.rows));
    // Rows with a previous time step, then those without.
    for (const bool reached : {true, false}) {
      const auto part = [&](auto rows) { return reached ? First(rows, past) : Rest(rows, past); };
      GateStepGradient step;
      step.gates = part(all);
      step.hidden = part(walk.Of(hidden, i));
      step.hidden_gradient = part(First(hidden_carry.view(), all.rows));
      step.cell_state_gradient = part(First(cell_state_carry.view(), all.rows));
      if (cell_state.data != nullptr) step.cell_state = part(walk.Of(cell_state, i));
      if (reached && past > 0) {
        step.hidden_before = First(walk.Of(hidden, i - 1), past);
        if (cell_state.data != nullptr)
          step.cell_state_before = First(walk.Of(cell_state, i - 1), past);
      }
      GatesBackward(kind, formula, step);
    }
    if (past > 0) hidden_gradient.Add(First(all, past), First(hidden_carry.view(), past));
  }
}

// Copies the previous state of each row of a walk; zero for the first of a sequence.
void CopyBefore(const Walk& walk, ConstMatrix states, Matrix before) {
  for (int64_t i = 0; i < walk.size(); ++i) {
    const int64_t past = walk.Past(i);
    const Matrix rows = walk.Of(before, i);
    if (past > 0) Copy(First(walk.Of(states, i - 1), past), First(rows, past));
    Clear(Rest(rows, past));
  }
}

// Runs all directions and groups of sequences in parallel.
void ForEachWalk(const PackedSequence& steps, size_t directions,
                 absl::FunctionRef<void(size_t direction, const Walk& walk)> run) {
  const auto count = static_cast<int64_t>(directions);
  ParallelFor(count * steps.groups(), [&](int64_t task) {
    const auto direction = static_cast<size_t>(task % count);
    run(direction, Walk(steps, task / count, direction == 1));
  });
}

}  // namespace

std::vector<float> ProjectionBias(CellKind kind, const CellWeights& weights) {
  const GateLayout& layout = LayoutOf(kind);
  if (layout.normalizes) return std::vector<float>(static_cast<size_t>(weights.input.rows), 0.0f);
  const int64_t summed = layout.summed_biases * weights.hidden.columns;
  std::vector<float> bias(weights.input_bias, weights.input_bias + weights.input.rows);
  for (int64_t i = 0; i < summed; ++i) bias[static_cast<size_t>(i)] += weights.hidden_bias[i];
  return bias;
}

GateWeights FormulaWeights(CellKind kind, const CellWeights& weights) {
  const GateLayout& layout = LayoutOf(kind);
  const int64_t summed = layout.summed_biases * weights.hidden.columns;
  return {.peephole = weights.peephole,
          .hidden_bias = layout.formula_biases() > 0 ? weights.hidden_bias + summed : nullptr,
          .input_gain = weights.input_gain,
          .hidden_gain = weights.hidden_gain,
          .input_bias = layout.normalizes ? weights.input_bias : nullptr,
          .cell_state_gain = weights.cell_state_gain,
          .cell_state_bias = weights.cell_state_bias};
}

PackedCell::PackedCell(CellKind kind, const CellWeights& weights, Precision precision)
    : kind(kind),
      input(PackedMatrix::PackTransposed(weights.input, precision)),
      hidden(PackedMatrix::PackTransposed(weights.hidden, precision)),
      input_bias(ProjectionBias(kind, weights)),
      formula(FormulaWeights(kind, weights)) {}

std::vector<PackedCell> PackCells(CellKind kind, absl::Span<const CellWeights> weights,
                                  Precision precision) {
  std::vector<PackedCell> cells;
  for (const CellWeights& cell : weights) cells.emplace_back(kind, cell, precision);
  return cells;
}

HiddenGradient::HiddenGradient(CellKind kind, const CellWeights& weights, Precision precision) {
  const int64_t hidden = weights.hidden.columns;
  for (const GateLayout::Recurrent& part : LayoutOf(kind).recurrent) {
    parts_.push_back({part.weight * hidden, part.gates * hidden, part.count * hidden});
    weights_.push_back(PackedMatrix::Pack(
        weights.hidden.Rows(part.weight * hidden, part.count * hidden), precision));
  }
}

void HiddenGradient::Add(ConstMatrix gates, Matrix hidden) const {
  for (size_t i = 0; i < parts_.size(); ++i) {
    MultiplyAdd(gates.Columns(parts_[i].gates, parts_[i].count), weights_[i], hidden);
  }
}

void FillCellGradients(CellKind kind, ConstMatrix gates, const Operand& projected,
                       ConstMatrix hidden_before, ConstMatrix cell_state_before,
                       ConstMatrix cell_state, const CellGradients& gradients) {
  const GateLayout& layout = LayoutOf(kind);
  const int64_t hidden = hidden_before.columns;
  const Operand before(hidden_before, projected.precision());
  for (const GateLayout::Recurrent& part : layout.recurrent) {
    const ConstMatrix columns = gates.Columns(part.gates * hidden, part.count * hidden);
    const Matrix gradient = gradients.hidden.Rows(part.weight * hidden, part.count * hidden);
    const bool whole = columns.columns == projected.columns();
    MultiplyTransposed(whole ? projected : Operand(columns, projected.precision()), before,
                       gradient);
    SumRows(columns, gradients.hidden_bias + part.weight * hidden);
  }
  SumRows(gates.Columns(0, gradients.input.rows), gradients.input_bias);
  if (gradients.peephole != nullptr) {
    std::fill_n(gradients.peephole, layout.peepholes * hidden, 0.0f);
    PeepholeGradient(gates, cell_state_before, cell_state, gradients.peephole);
  }
}

std::vector<RecurrentCache> RecurrentForward(const PackedSequence& steps, ConstMatrix input,
                                             absl::Span<const PackedCell> directions,
                                             Matrix output) {
  const GateLayout& layout = LayoutOf(directions[0].kind);
  const int64_t hidden = directions[0].hidden.rows();
  std::vector<RecurrentCache> cache(directions.size());
  const Operand inputs(input, directions[0].input.precision());
  for (size_t d = 0; d < directions.size(); ++d) {
    cache[d].gates = Buffer(steps.rows(), layout.width * hidden);
    if (HasCellState(directions[0].kind)) cache[d].cell_state = Buffer(steps.rows(), hidden);
    Multiply(inputs, directions[d].input,
             cache[d].gates.view().Columns(0, layout.projected * hidden),
             directions[d].input_bias.data());
  }
  ForEachWalk(steps, directions.size(), [&](size_t d, const Walk& walk) {
    WalkForward(directions[d], walk, cache[d].gates.view(),
                output.Columns(static_cast<int64_t>(d) * hidden, hidden),
                cache[d].cell_state.view());
  });
  Clear(steps.Tail(output));
  return cache;
}

void RecurrentBackward(CellKind kind, Precision precision, const PackedSequence& steps,
                       ConstMatrix input, absl::Span<const CellWeights> directions,
                       ConstMatrix output, const RecurrentOutputGradient& output_gradient,
                       absl::Span<const RecurrentCache> cache, Matrix input_gradient,
                       absl::Span<const CellGradients> gradients) {
  const int64_t hidden = directions[0].hidden.columns;
  std::vector<HiddenGradient> hidden_gradients;
  std::vector<RecurrentCache> before(directions.size());
  for (size_t d = 0; d < directions.size(); ++d) {
    hidden_gradients.emplace_back(kind, directions[d], precision);
    before[d].gates = Buffer(steps.rows(), hidden);
    if (gradients[d].peephole != nullptr) before[d].cell_state = Buffer(steps.rows(), hidden);
  }
  ForEachWalk(steps, directions.size(), [&](size_t d, const Walk& walk) {
    const auto of = [&](ConstMatrix rows) {
      return rows.data == nullptr ? rows : rows.Columns(static_cast<int64_t>(d) * hidden, hidden);
    };
    const ConstMatrix states = of(output);
    WalkBackward(kind, walk, hidden_gradients[d], FormulaWeights(kind, directions[d]),
                 cache[d].gates.view(), states, cache[d].cell_state.view(),
                 {of(output_gradient.output), of(output_gradient.cell_state)});
    CopyBefore(walk, states, before[d].gates.view());
    if (gradients[d].peephole != nullptr) {
      CopyBefore(walk, cache[d].cell_state.view(), before[d].cell_state.view());
    }
  });
  const Operand inputs(input, precision);
  for (size_t d = 0; d < directions.size(); ++d) {
    const Matrix gates = cache[d].gates.view();
    for (const Matrix& rows : {gates, before[d].gates.view()}) Clear(steps.Tail(rows));
    if (gradients[d].peephole != nullptr) {
      Clear(steps.Tail(before[d].cell_state.view()));
      Clear(steps.Tail(cache[d].cell_state.view()));
    }
    const Operand projected(gates.Columns(0, directions[d].input.rows), precision);
    FillCellGradients(kind, gates, projected, before[d].gates.view(), before[d].cell_state.view(),
                      cache[d].cell_state.view(), gradients[d]);
    MultiplyTransposed(projected, inputs, gradients[d].input);
    if (input_gradient.data == nullptr) continue;
    const PackedMatrix weight = PackedMatrix::Pack(directions[d].input, precision);
    if (d == 0) {
      Multiply(projected, weight, input_gradient);
    } else {
      MultiplyAdd(projected, weight, input_gradient);
    }
  }
}

}  // namespace seq2seq
