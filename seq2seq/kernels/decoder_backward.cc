#include "seq2seq/kernels/decoder.h"
#include "seq2seq/kernels/decoder_rows.h"
#include "seq2seq/kernels/dropout.h"
#include "seq2seq/kernels/parallel.h"

namespace seq2seq {
namespace {

class BackwardPass {
 public:
  BackwardPass(const DecoderPlan& plan, const DecoderWeights& weights, const DecoderStart& start,
               absl::Span<const AttentionMemory> sources, ConstMatrix attentional_states,
               const DecoderOutputGradient& output_gradient, const DecoderCache& cache,
               absl::Span<const Matrix> key_gradients)
      : plan_(plan),
        weights_(weights),
        sizes_(plan, weights),
        steps_(*plan.steps),
        start_(start, steps_),
        sources_(sources),
        attentional_states_(attentional_states),
        output_gradient_(output_gradient),
        cache_(cache),
        key_gradients_(key_gradients),
        before_tanh_(steps_.rows(), sizes_.attentional_state),
        attended_(steps_.rows(), cache.attended.view().columns),
        scores_(steps_.rows(), cache.weights.view().columns),
        queries_(steps_.rows(), cache.queries.view().columns),
        energies_(steps_.groups(), cache.queries.view().columns),
        coverage_(start_.hidden[0].view().rows, cache.coverage.view().columns),
        coverage_weights_(steps_.groups(), weights.has_coverage() ? sizes_.hidden : 0) {
    const ConstMatrix input = weights.cells[0].input;
    if (plan.input_feeding) {
      feed_weight_ = PackedMatrix::Pack(input.Columns(sizes_.embedding, sizes_.attentional_state),
                                        plan.precision);
    }
    attentional_weight_ = PackedMatrix::Pack(weights.attentional, plan.precision);
    if (weights.is_additive()) query_weight_ = PackedMatrix::Pack(weights.query, plan.precision);
    for (size_t number = 0; number < sizes_.cells; ++number) {
      const CellWeights& cell = weights.cells[number];
      input_weights_.push_back(number == 0 ? PackedMatrix()
                                           : PackedMatrix::Pack(cell.input, plan.precision));
      hidden_gradients_.emplace_back(plan.cell, cell, plan.precision);
    }
  }

  void RunSteps(const DecoderStartGradient& start_gradient) {
    ParallelFor(steps_.groups(), [&](int64_t group) { RunGroup(group, start_gradient); });
    for (size_t cell = 0; cell < sizes_.cells; ++cell) {
      Clear(steps_.Tail(cache_.cells[cell].gates.view()));
      Clear(steps_.Tail(InputOf(cache_, cell, sizes_)));
    }
    Clear(steps_.Tail(before_tanh_.view()));
    Clear(steps_.Tail(queries_.view()));
    feed_weight_ = PackedMatrix();
    attentional_weight_ = PackedMatrix();
    query_weight_ = PackedMatrix();
    input_weights_.clear();
    hidden_gradients_.clear();
  }

  // Those that RunSteps has not filled.
  void FillMemoryGradients(absl::Span<const Matrix> values) const {
    if (sizes_.context == 0) return;  // Without source, keys have no columns.
    ParallelFor(steps_.groups(), [&](int64_t group) {
      for (int64_t i = 0; i < steps_.size(group); ++i) {
        const auto sentence = static_cast<size_t>(steps_.sequence(group, i));
        const int64_t source = values[sentence].rows;
        const auto of = [&](ConstMatrix rows) { return RowsOf(group, i, rows); };
        if (!weights_.is_additive()) {
          SumOfOuterProducts(of(scores_.view().Columns(0, source)).view(),
                             of(QueriesOf(cache_, sizes_)).view(), key_gradients_[sentence]);
        }
        SumOfOuterProducts(of(cache_.weights.view().Columns(0, source)).view(),
                           of(attended_.view().Columns(0, sizes_.context)).view(),
                           values[sentence]);
      }
    });
  }

  void FillWeightGradients(const DecoderGradients& gradients) const {
    const Precision precision = plan_.precision;
    MultiplyTransposed(Operand(before_tanh_.view(), precision),
                       Operand(cache_.attended.view(), precision), gradients.attentional);
    if (weights_.is_additive()) {
      MultiplyTransposed(Operand(queries_.view(), precision),
                         Operand(QueriesOf(cache_, sizes_), precision), gradients.query);
      SumRows(energies_.view(), gradients.energy);
      if (weights_.has_coverage()) SumRows(coverage_weights_.view(), gradients.coverage);
    }
    for (size_t number = 0; number < sizes_.cells; ++number) {
      const DecoderCache::Cell& part = cache_.cells[number];
      const CellGradients& cell = gradients.cells[number];
      const Matrix gates = part.gates.view();
      const Operand projected(gates.Columns(0, sizes_.projected), precision);
      const Operand input(InputOf(cache_, number, sizes_), precision);
      const Buffer hidden = StatesBefore(
          number, [&](size_t of) { return HiddenOf(cache_, of, sizes_); }, start_.hidden);
      Buffer cell_state;
      if (cell.peephole != nullptr) {
        Clear(steps_.Tail(part.cell_state.view()));
        cell_state = StatesBefore(
            number, [&](size_t of) { return cache_.cells[of].cell_state.view(); },
            start_.cell_state);
      }
      FillCellGradients(plan_.cell, gates, projected, hidden.view(), cell_state.view(),
                        part.cell_state.view(), cell);
      if (number > 0) {
        MultiplyTransposed(projected, input, cell.input);
        continue;
      }
      MultiplyTransposed(projected, input, cell.input.Columns(0, sizes_.embedding));
      if (plan_.input_feeding) {
        const Buffer attentional_states = RowsBefore(attentional_states_, Matrix());
        MultiplyTransposed(projected, Operand(attentional_states.view(), precision),
                           cell.input.Columns(sizes_.embedding, sizes_.attentional_state));
      }
      Multiply(projected,
               PackedMatrix::Pack(weights_.cells[0].input.Columns(0, sizes_.embedding), precision),
               gradients.embedded);
    }
    if (plan_.embedding_dropout > 0) {
      ParallelRanges(steps_.rows(), 16, [&](int64_t begin, int64_t end) {
        const Matrix rows = gradients.embedded.Rows(begin, end - begin);
        Dropout(rows, plan_.embedding_dropout, SeedOf(plan_, 0), begin, rows);
      });
    }
  }

 private:
  void RunGroup(int64_t group, const DecoderStartGradient& start_gradient) {
    const int64_t rows = steps_.size(group);
    if (weights_.is_additive()) ClearSums(group);
    const size_t layers = sizes_.layers;
    std::vector<Buffer> hidden;  // Gradients passed to the previous time step, one per layer.
    std::vector<Buffer> cell_state;
    for (size_t layer = 0; layer < layers; ++layer) {
      hidden.emplace_back(rows, sizes_.hidden);
      cell_state.emplace_back(rows, sizes_.hidden);
      Clear(hidden[layer].view());
      Clear(cell_state[layer].view());
    }
    const Buffer feed(rows, sizes_.attentional_state);
    Clear(feed.view());
    const Buffer below(rows, sizes_.hidden);

    for (int64_t step = steps_.steps() - 1; step >= 0; --step) {
      const int64_t count = steps_.count(step, group);
      if (count == 0) continue;
      RunAttentionBackward(
          group, step, First(feed.view(), count),
          {First(hidden.back().view(), count), First(cell_state.back().view(), count)});
      for (size_t layer = layers; layer-- > 0;) {
        const Matrix projected = RunCellBackward(
            group, step, layer,
            {First(hidden[layer].view(), count), First(cell_state[layer].view(), count)});
        if (layer > 0) {
          const Matrix input = First(below.view(), count);
          Multiply(projected, input_weights_[layer], input);
          if (plan_.dropout > 0) {
            Dropout(input, plan_.dropout, SeedOf(plan_, layer), steps_.begin(step, group), input);
          }
          Add(input, First(hidden[layer - 1].view(), count));
        } else if (plan_.input_feeding && step > 0) {
          Multiply(projected, feed_weight_, First(feed.view(), count));
        }
      }
    }
    for (size_t layer = 0; layer < layers; ++layer) {
      for (int64_t i = 0; i < rows; ++i) {
        const int64_t sentence = steps_.sequence(group, i);
        Copy(hidden[layer].view().Rows(i, 1), start_gradient.hidden[layer].Rows(sentence, 1));
        if (layer >= start_gradient.cell_state.size()) continue;
        Copy(cell_state[layer].view().Rows(i, 1),
             start_gradient.cell_state[layer].Rows(sentence, 1));
      }
    }
  }

  // The gradients of the state of a cell at a time step.
  struct StateGradient {
    Matrix hidden;      // [row, hidden]
    Matrix cell_state;  // [row, hidden]; any for cells without one.
  };

  // From the attentional states of a time step to the last layer's state: adds to `state`, or,
  // through a conditional cell, replaces the gradients of that cell's state.
  void RunAttentionBackward(int64_t group, int64_t step, ConstMatrix feed,
                            const StateGradient& state) const {
    const auto of = [&](auto rows) { return steps_.Of(rows, step, group); };
    const Matrix before = of(before_tanh_.view());
    Copy(of(output_gradient_.attentional_states), before);
    Add(feed, before);
    TanhBackward(of(attentional_states_), before);
    const Matrix attended = of(attended_.view());
    Multiply(before, attentional_weight_, attended);
    Add(attended.Columns(sizes_.context, sizes_.hidden), state.hidden);
    if (plan_.conditional) {
      const Matrix projected = RunCellBackward(group, step, sizes_.layers, state);
      MultiplyAdd(projected, input_weights_[sizes_.layers], attended.Columns(0, sizes_.context));
    }
    if (weights_.is_additive()) return RunAdditiveBackward(group, step, attended, state.hidden);
    const Matrix weights = of(cache_.weights.view());
    const Matrix scores = of(scores_.view());
    for (int64_t i = 0; i < attended.rows; ++i) {
      const auto sentence = static_cast<size_t>(steps_.sequence(group, i));
      AttendBackward(sources_[sentence], weights.row(i),
                     {attended.row(i), AttentionGradient(group, step, i)}, scores.row(i),
                     state.hidden.row(i));
    }
  }

  // The gradient of the attention weights of a row; null for zero.
  const float* AttentionGradient(int64_t group, int64_t step, int64_t i) const {
    if (output_gradient_.attention.data == nullptr) return nullptr;
    return steps_.Of(output_gradient_.attention, step, group).row(i);
  }

  // What additive attention sums over the time steps of a group.
  void ClearSums(int64_t group) const {
    Clear(energies_.view().Rows(group, 1));
    if (weights_.has_coverage()) Clear(coverage_weights_.view().Rows(group, 1));
    for (int64_t i = 0; i < steps_.size(group); ++i) {
      const int64_t sentence = steps_.sequence(group, i);
      Clear(key_gradients_[static_cast<size_t>(sentence)]);
      if (weights_.has_coverage()) Clear(coverage_.view().Rows(sentence, 1));
    }
  }

  // From the gradient of `contexts`, the first columns, adds to `hidden`.
  void RunAdditiveBackward(int64_t group, int64_t step, ConstMatrix contexts, Matrix hidden) const {
    const auto of = [&](const Buffer& rows) { return steps_.Of(rows.view(), step, group); };
    const Matrix queries = of(queries_);
    Clear(queries);
    std::vector<float> of_coverage;  // The loss and the coverage of later time steps: their sum.
    for (int64_t i = 0; i < contexts.rows; ++i) {
      const int64_t sentence = steps_.sequence(group, i);
      const AttentionMemory& source = sources_[static_cast<size_t>(sentence)];
      AdditiveGradients sums = {queries.row(i), energies_.view().row(group),
                                key_gradients_[static_cast<size_t>(sentence)]};
      const float* of_weights = AttentionGradient(group, step, i);
      PastFeatures past;
      if (weights_.has_coverage()) {
        past = PastOf(weights_, source, of(cache_.coverage).row(i));
        sums.features = coverage_.view().row(sentence);
        sums.feature_weights = coverage_weights_.view().row(group);
        of_coverage.assign(sums.features, sums.features + source.keys.rows);
        for (size_t s = 0; s < of_coverage.size() && of_weights != nullptr; ++s)
          of_coverage[s] += of_weights[s];
        of_weights = of_coverage.data();
      }
      AdditiveBackward(source, of(cache_.queries).row(i), past, weights_.energy,
                       of(cache_.weights).row(i), {contexts.row(i), of_weights}, of(scores_).row(i),
                       sums);
    }
    MultiplyAdd(queries, query_weight_, hidden);
  }

  // Replaces the gradients of the state of a cell by those of the previous one. Returns those of
  // the projected input, [row, gates x hidden].
  Matrix RunCellBackward(int64_t group, int64_t step, size_t number,
                         const StateGradient& state) const {
    auto cell = CellRows<GateStepGradient>(steps_, sizes_, cache_, start_, group, step, number);
    cell.hidden_gradient = state.hidden;
    cell.cell_state_gradient = state.cell_state;
    GatesBackward(plan_.cell, FormulaWeights(plan_.cell, weights_.cells[number]), cell);
    const Matrix gates = steps_.Of(cache_.cells[number].gates.view(), step, group);
    hidden_gradients_[number].Add(gates, state.hidden);
    return gates.Columns(0, sizes_.projected);
  }

  // The previous states of a cell, [row, hidden]; `states_of` gives those of the cells.
  template <typename StatesOf>
  Buffer StatesBefore(size_t number, const StatesOf& states_of,
                      const std::vector<Buffer>& start) const {
    if (!sizes_.is_conditional(number))
      return RowsBefore(states_of(sizes_.carrier(number)), start[number].view());
    Buffer before(steps_.rows(), sizes_.hidden);
    Copy(states_of(number - 1), before.view());
    Clear(steps_.Tail(before.view()));
    return before;
  }

  // The row of the previous time step of each row: [row, …]. An empty start is zero.
  Buffer RowsBefore(ConstMatrix states, Matrix start) const {
    Buffer before(steps_.rows(), states.columns);
    ParallelFor(steps_.steps() * steps_.groups(), [&](int64_t task) {
      const int64_t step = task / steps_.groups();
      const int64_t group = task % steps_.groups();
      const Matrix rows = steps_.Of(before.view(), step, group);
      if (step == 0 && start.data == nullptr) return Clear(rows);
      Copy(Before<const float>(steps_, group, states, start, step), rows);
    });
    Clear(steps_.Tail(before.view()));
    return before;
  }

  // The rows of one sentence in the order of time steps.
  Buffer RowsOf(int64_t group, int64_t i, ConstMatrix rows) const {
    Buffer own(steps_.length(group, i), rows.columns);
    for (int64_t step = 0; step < steps_.length(group, i); ++step) {
      Copy(rows.Rows(steps_.begin(step, group) + i, 1), own.view().Rows(step, 1));
    }
    return own;
  }

  const DecoderPlan& plan_;
  const DecoderWeights& weights_;
  const DecoderSizes sizes_;
  const PackedSequence& steps_;
  const SortedStart start_;
  const absl::Span<const AttentionMemory> sources_;
  const ConstMatrix attentional_states_;
  const DecoderOutputGradient& output_gradient_;
  const DecoderCache& cache_;
  const absl::Span<const Matrix> key_gradients_;  // One per sentence.
  const Buffer before_tanh_;                      // Gradients before tanh, [row, attentional].
  const Buffer attended_;                         // [row, context + hidden]
  const Buffer scores_;                           // [row, source]
  const Buffer queries_;                          // [row, hidden], of additive attention.
  const Buffer energies_;                         // [group, hidden], likewise.
  // With coverage: its gradient from all later time steps, [sentence, source], and that of its
  // weights, [group, hidden].
  const Buffer coverage_, coverage_weights_;
  PackedMatrix feed_weight_;
  PackedMatrix attentional_weight_;
  PackedMatrix query_weight_;
  std::vector<PackedMatrix> input_weights_;
  std::vector<HiddenGradient> hidden_gradients_;
};

}  // namespace

void DecoderBackward(const DecoderPlan& plan, const DecoderWeights& weights,
                     const DecoderStart& start, absl::Span<const AttentionMemory> sources,
                     ConstMatrix attentional_states, const DecoderOutputGradient& output_gradient,
                     DecoderCache& cache, const DecoderGradients& gradients,
                     const DecoderStartGradient& start_gradient,
                     absl::Span<const Matrix> key_gradients,
                     absl::Span<const Matrix> value_gradients) {
  BackwardPass pass(plan, weights, start, sources, attentional_states, output_gradient, cache,
                    key_gradients);
  pass.RunSteps(start_gradient);
  pass.FillMemoryGradients(value_gradients);
  pass.FillWeightGradients(gradients);
}

}  // namespace seq2seq
