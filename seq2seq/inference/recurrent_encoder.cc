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
                                                     EncoderArrays& arrays, Precision precision)
    : options_(options), embedding_(std::move(embedding)) {
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

Buffer RecurrentInferenceEncoder::RunLayers(Buffer states, const PackedSequence& steps) const {
  for (size_t number = 0; number < layers_.size(); ++number) {
    if (number > 0) states = Merge(states, number - 1);
    const std::vector<PackedCell>& layer = layers_[number];
    const auto directions = static_cast<int64_t>(layer.size());
    const Buffer outputs(steps.rows(), directions * options_.hidden);
    RecurrentForward(steps, states.view(), layer, outputs.view());
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
  const Buffer states = RunLayers(Embed(sources, steps), steps);

  // From the order of time steps to that of sentences.
  const Buffer values = Merge(states, layers_.size() - 1);
  const int64_t size = values.view().columns;
  const int64_t hidden = options_.hidden;
  const int64_t rest = states.view().columns - hidden;
  const Buffer summaries(batch, hidden + rest);
  EncoderOutput output = {EncoderOutput::Rows(steps.tokens(), size), {0}, Buffer()};
  for (const int64_t length : lengths) output.begins.push_back(output.begins.back() + length);
  steps.ForEachToken([&](int64_t row, int64_t sequence, int64_t step) {
    Copy(values.view().Rows(row, 1), output.Of(sequence, output.values).Rows(step, 1));
    // The last state of the forward cell, and the first of the backward cell.
    const Matrix state = states.view().Rows(row, 1);
    const Matrix summary = summaries.view().Rows(sequence, 1);
    if (step == 0) Copy(state.Columns(hidden, rest), summary.Columns(hidden, rest));
    if (step + 1 == output.length(sequence))
      Copy(state.Columns(0, hidden), summary.Columns(0, hidden));
  });
  output.summary = Merge(summaries, layers_.size() - 1);
  return output;
}

}  // namespace seq2seq
