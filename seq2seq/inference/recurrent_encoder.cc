#include "seq2seq/inference/recurrent_encoder.h"

#include <utility>

#include "seq2seq/inference/packed_weights.h"
#include "seq2seq/kernels/packed_sequence.h"
#include "seq2seq/kernels/parallel.h"

namespace seq2seq {
namespace {

// The lengths of the sentences with their ends.
std::vector<int64_t> LengthsOf(absl::Span<const SourceInput* const> sources) {
  std::vector<int64_t> lengths;
  for (const SourceInput* source : sources)
    lengths.push_back(static_cast<int64_t>(source->ids.size()) + 1);
  return lengths;
}

}  // namespace

RecurrentInferenceEncoder::RecurrentInferenceEncoder(const EncoderOptions& options, Array embedding,
                                                     EncoderArrays& arrays, Precision precision,
                                                     bool with_layers)
    : options_(options), with_layers_(with_layers), embedding_(std::move(embedding)) {
  for (EncoderArrays::Layer& layer : arrays.layers) {
    std::vector<CellWeights> cells = {ViewCell(layer.forward)};
    if (layer.backward.weight_ih.defined()) cells.push_back(ViewCell(layer.backward));
    layers_.push_back(PackCells(options.cell, cells, precision));
    DropPacked(layer.forward);
    DropPacked(layer.backward);
    biases_.push_back(layer);
  }
}

double RecurrentInferenceEncoder::packed_bytes() const {
  int64_t bytes = 0;
  for (const std::vector<PackedCell>& layer : layers_) bytes += PackedBytes(layer);
  return static_cast<double>(bytes);
}

Buffer RecurrentInferenceEncoder::Embed(absl::Span<const SourceInput* const> sources,
                                        const PackedSequence& steps) const {
  Buffer states(steps.rows(), options_.embedding);
  Clear(steps.Tail(states.view()));
  steps.ForEachToken([&](int64_t row, int64_t sequence, int64_t step) {
    const std::vector<int32_t>& ids = sources[static_cast<size_t>(sequence)]->ids;
    const auto position = static_cast<size_t>(step);
    CopyRow(embedding_, position < ids.size() ? ids[position] : kEosId, states.view().row(row));
  });
  return states;
}

Buffer RecurrentInferenceEncoder::Merge(const Buffer& outputs, size_t number) const {
  if (!SumsDirections(options_, static_cast<int64_t>(number))) return outputs;
  const Matrix both = outputs.view();
  const Buffer sums(both.rows, options_.hidden);
  Copy(both.Columns(0, options_.hidden), sums.view());
  Add(both.Columns(options_.hidden, options_.hidden), sums.view());
  return sums;
}

std::vector<ConstMatrix> RecurrentInferenceEncoder::DirectionsOf(ConstMatrix outputs) const {
  std::vector<ConstMatrix> directions;
  for (int64_t first = 0; first < outputs.columns; first += options_.hidden)
    directions.push_back(outputs.Columns(first, options_.hidden));
  return directions;
}

Buffer RecurrentInferenceEncoder::FinalOf(absl::Span<const ConstMatrix> directions,
                                          const PackedSequence& steps, const EncoderOutput& output,
                                          size_t number) const {
  const int64_t hidden = options_.hidden;
  const Buffer final(output.batch(), static_cast<int64_t>(directions.size()) * hidden);
  steps.ForEachToken([&](int64_t row, int64_t sequence, int64_t step) {
    const Matrix to = final.view().Rows(sequence, 1);
    if (step + 1 == output.length(sequence))
      Copy(directions[0].Rows(row, 1), to.Columns(0, hidden));
    if (step == 0 && directions.size() > 1)
      Copy(directions[1].Rows(row, 1), to.Columns(hidden, hidden));
  });
  return Merge(final, number);
}

Buffer RecurrentInferenceEncoder::RunLayers(Buffer states, const PackedSequence& steps,
                                            EncoderOutput& output) const {
  for (size_t number = 0; number < layers_.size(); ++number) {
    if (number > 0) states = Merge(states, number - 1);
    const std::vector<PackedCell>& layer = layers_[number];
    const auto directions = static_cast<int64_t>(layer.size());
    const Buffer outputs(steps.rows(), directions * options_.hidden);
    const std::vector<RecurrentCache> caches =
        RecurrentForward(steps, states.view(), layer, outputs.view());
    if (with_layers_) {
      std::vector<ConstMatrix> cell_states;
      for (const RecurrentCache& cache : caches) cell_states.push_back(cache.cell_state.view());
      output.hidden.push_back(FinalOf(DirectionsOf(outputs.view()), steps, output, number));
      output.cell_state.push_back(
          HasCellState(options_.cell) ? FinalOf(cell_states, steps, output, number) : Buffer());
    }
    const int64_t input = states.view().columns;
    // Of a sum, to the forward direction.
    if (AddsInput(options_, static_cast<int64_t>(number), input))
      Add(states.view(), outputs.view().Columns(0, input));
    states = outputs;
  }
  return states;
}

EncoderOutput RecurrentInferenceEncoder::Encode(
    absl::Span<const SourceInput* const> sources) const {
  const std::vector<int64_t> lengths = LengthsOf(sources);
  const auto batch = static_cast<int64_t>(sources.size());
  const PackedSequence steps(lengths, GroupsFor(batch, CellsSideBySide(options_)));
  EncoderOutput output = {EncoderOutput::Rows(steps.tokens(), OutputSize(options_)), {0}, Buffer()};
  for (const int64_t length : lengths) output.begins.push_back(output.begins.back() + length);
  const Buffer states = RunLayers(Embed(sources, steps), steps, output);

  const size_t last = layers_.size() - 1;
  output.summary = FinalOf(DirectionsOf(states.view()), steps, output, last);
  // From the order of time steps to that of sentences.
  const Buffer values = Merge(states, last);
  steps.ForEachToken([&](int64_t row, int64_t sequence, int64_t step) {
    Copy(values.view().Rows(row, 1), output.Of(sequence, output.values).Rows(step, 1));
  });
  return output;
}

}  // namespace seq2seq
