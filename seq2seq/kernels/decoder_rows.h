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
        width(LayoutOf(plan.cell).width * hidden) {}

  int64_t embedding, hidden, attentional_state, context, projected, width;
};

// Dropout of each layer and sampling have separate random streams.
inline uint64_t SeedOf(const DecoderPlan& plan, size_t use) { return DeriveSeed({plan.seed, use}); }

// The hidden states of a layer; those of the last one are columns of `attended`.
inline Matrix HiddenOf(const DecoderCache& cache, size_t layer, const DecoderSizes& sizes) {
  if (layer + 1 < cache.layers.size()) return cache.layers[layer].hidden.view();
  return cache.attended.view().Columns(sizes.context, sizes.hidden);
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

// The previous state of a group: the rows of the previous time step, or the initial state.
template <typename T>
MatrixView<T> Before(const PackedSequence& steps, int64_t group, MatrixView<T> states, Matrix start,
                     int64_t step) {
  if (step == 0) return steps.Of(start, 0, group);
  return First(steps.Of(states, step - 1, group), steps.count(step, group));
}

// A time step of a layer, as GateStep or GateStepGradient, as far as it is stored in `cache`.
template <typename T>
T CellRows(const PackedSequence& steps, const DecoderSizes& sizes, const DecoderCache& cache,
           const SortedStart& start, int64_t group, int64_t step, size_t layer) {
  const Matrix hidden = HiddenOf(cache, layer, sizes);
  const Matrix cell_state = cache.layers[layer].cell_state.view();
  T cell;
  cell.gates = steps.Of(cache.layers[layer].gates.view(), step, group);
  cell.hidden = steps.Of(hidden, step, group);
  cell.hidden_before = Before(steps, group, hidden, start.hidden[layer].view(), step);
  if (cell_state.data != nullptr) {
    cell.cell_state = steps.Of(cell_state, step, group);
    cell.cell_state_before = Before(steps, group, cell_state, start.cell_state[layer].view(), step);
  }
  return cell;
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_DECODER_ROWS_H_
