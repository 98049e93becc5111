// Row layout shared by decoder_forward.cc and decoder_backward.cc, and private to them.
#ifndef SEQ2SEQ_KERNELS_DECODER_ROWS_H_
#define SEQ2SEQ_KERNELS_DECODER_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "seq2seq/base/random.h"
#include "seq2seq/kernels/decoder.h"

namespace seq2seq {

struct DecoderSizes {
  DecoderSizes(const DecoderPlan& plan, const DecoderWeights& weights)
      : embedding(weights.embedding.columns),
        hidden(weights.cells[0].hidden.columns),
        attentional_state(weights.attentional.rows),
        context(weights.attentional.columns - hidden),
        projected(LayoutOf(plan.cell).projected * hidden),
        width(LayoutOf(plan.cell).width * hidden),
        cells(weights.cells.size()),
        layers(cells - (plan.conditional ? 1 : 0)) {}

  bool is_conditional(size_t cell) const { return cell == layers; }
  // The cell whose state at a time step is the previous one of `layer` at the next.
  size_t carrier(size_t layer) const { return layer + 1 == layers ? cells - 1 : layer; }

  int64_t embedding, hidden, attentional_state, context, projected, width;
  size_t cells, layers;
};

// Dropout of each layer and sampling have separate random streams.
inline uint64_t SeedOf(const DecoderPlan& plan, size_t use) { return DeriveSeed({plan.seed, use}); }

// The hidden states of a cell; those of the last one are columns of `attended`.
inline Matrix HiddenOf(const DecoderCache& cache, size_t cell, const DecoderSizes& sizes) {
  if (cell + 1 < sizes.cells) return cache.cells[cell].hidden.view();
  return cache.attended.view().Columns(sizes.context, sizes.hidden);
}

// The hidden states that attention compares with the keys: those of the last layer.
inline Matrix QueriesOf(const DecoderCache& cache, const DecoderSizes& sizes) {
  return HiddenOf(cache, sizes.layers - 1, sizes);
}

// The input of a cell; the contexts of a conditional one.
inline Matrix InputOf(const DecoderCache& cache, size_t cell, const DecoderSizes& sizes) {
  if (!sizes.is_conditional(cell)) return cache.cells[cell].input.view();
  return cache.attended.view().Columns(0, sizes.context);
}

// The coverage of a source, [source], as attention reads it.
inline PastFeatures PastOf(const DecoderWeights& weights, const AttentionMemory& source,
                           const float* coverage) {
  const int64_t hidden = source.keys.columns;
  return {{coverage, source.keys.rows, 1, 1}, {weights.coverage, 1, hidden, hidden}};
}

// A state of the batch in the order of the rows of the first time step.
inline Buffer Sorted(ConstMatrix state, const PackedSequence& steps) {
  if (state.data == nullptr) return {};
  Buffer sorted(state.rows, state.columns);
  for (int64_t group = 0; group < steps.groups(); ++group) {
    for (int64_t i = 0; i < steps.size(group); ++i) {
      Copy(state.Rows(steps.sequence(group, i), 1),
           sorted.view().Rows(steps.begin(0, group) + i, 1));
    }
  }
  return sorted;
}

struct SortedStart {
  SortedStart(const DecoderStart& start, const PackedSequence& steps) {
    for (const ConstMatrix& state : start.hidden) hidden.push_back(Sorted(state, steps));
    for (const ConstMatrix& state : start.cell_state) cell_state.push_back(Sorted(state, steps));
    cell_state.resize(hidden.size());
  }

  std::vector<Buffer> hidden;  // One per layer, [row of the first time step, hidden].
  std::vector<Buffer> cell_state;
};

// The previous state of a group in a layer: the rows of the previous time step, or the initial
// state.
template <typename T>
MatrixView<T> Before(const PackedSequence& steps, int64_t group, MatrixView<T> states, Matrix start,
                     int64_t step) {
  if (step == 0) return steps.Of(start, 0, group);
  return First(steps.Of(states, step - 1, group), steps.count(step, group));
}

// A time step of a cell, as GateStep or GateStepGradient, as far as it is stored in `cache`.
template <typename T>
T CellRows(const PackedSequence& steps, const DecoderSizes& sizes, const DecoderCache& cache,
           const SortedStart& start, int64_t group, int64_t step, size_t number) {
  const auto hidden = [&](size_t of) { return HiddenOf(cache, of, sizes); };
  const auto cell_state = [&](size_t of) { return cache.cells[of].cell_state.view(); };
  const auto before = [&](const auto& states, const std::vector<Buffer>& initial) {
    if (sizes.is_conditional(number)) return steps.Of(states(number - 1), step, group);
    return Before(steps, group, states(sizes.carrier(number)), initial[number].view(), step);
  };
  T cell;
  cell.gates = steps.Of(cache.cells[number].gates.view(), step, group);
  cell.hidden = steps.Of(hidden(number), step, group);
  cell.hidden_before = before(hidden, start.hidden);
  if (cell_state(number).data != nullptr) {
    cell.cell_state = steps.Of(cell_state(number), step, group);
    cell.cell_state_before = before(cell_state, start.cell_state);
  }
  return cell;
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_DECODER_ROWS_H_
