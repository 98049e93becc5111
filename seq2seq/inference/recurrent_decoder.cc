#include "seq2seq/inference/recurrent_decoder.h"

#include <utility>

#include "seq2seq/inference/packed_weights.h"

namespace seq2seq {
namespace {

PackedDecoder PackDecoder(CellKind kind, RecurrentDecoderArrays& arrays, Precision precision) {
  DecoderWeights weights;
  weights.embedding = arrays.embedding.matrix();
  for (const CellArrays& cell : arrays.cells) weights.cells.push_back(ViewCell(cell));
  weights.attentional = arrays.attentional.matrix();
  PackedDecoder packed(kind, weights, precision);
  for (CellArrays& cell : arrays.cells) DropPacked(cell);
  arrays.attentional = Array();
  return packed;
}

void Scale(Matrix values, float factor) {
  for (int64_t row = 0; row < values.rows; ++row) {
    float* value = values.row(row);
    for (int64_t i = 0; i < values.columns; ++i) value[i] *= factor;
  }
}

// The means of the positions of each sentence, [batch, size].
Buffer Means(const EncoderOutput& sources) {
  const Buffer means(sources.batch(), sources.values.view().columns);
  for (int64_t sentence = 0; sentence < sources.batch(); ++sentence) {
    SumRows(sources.Of(sentence, sources.values), means.view().row(sentence));
    Scale(means.view().Rows(sentence, 1), 1 / static_cast<float>(sources.length(sentence)));
  }
  return means;
}

// The kernels' stepper with the values that it points to.
class RecurrentStepDecoder : public StepDecoder {
 public:
  RecurrentStepDecoder(const PackedDecoder& decoder, const PackedOutput& output, DecoderRows start,
                       Buffer values, Buffer keys, std::vector<AttentionMemory> memories)
      : values_(std::move(values)),
        keys_(std::move(keys)),
        memories_(std::move(memories)),
        stepper_(decoder, output, std::move(start), memories_) {}

  void Step(absl::Span<const Extension> rows) override {
    rows_.assign(rows.begin(), rows.end());
    stepper_.Step(rows_);
  }

  Matrix scores() const override { return stepper_.scores(); }
  absl::Span<const float> normalizers() const override { return stepper_.normalizers(); }

  absl::Span<const float> Attention(size_t row) const override {
    const auto sentence = static_cast<size_t>(rows_[row].sentence);
    return {stepper_.attention().row(static_cast<int64_t>(row)),
            static_cast<size_t>(memories_[sentence].keys.rows)};
  }

 private:
  const Buffer values_, keys_;                   // Of all sentences.
  const std::vector<AttentionMemory> memories_;  // [batch], views of these.
  DecoderStepper stepper_;
  std::vector<Extension> rows_;
};

}  // namespace

RecurrentInferenceDecoder::RecurrentInferenceDecoder(const ModelOptions& options,
                                                     RecurrentDecoderArrays& arrays,
                                                     Precision precision)
    : attention_(options.decoder.attention),
      bridge_kind_(BridgeOf(options)),
      keys_(PackAndDrop(arrays.attention.projection, precision)),
      bridge_(PackAndDrop(arrays.bridge, precision)),
      decoder_(PackDecoder(options.decoder.cell, arrays, precision)),
      shared_(arrays) {}

double RecurrentInferenceDecoder::packed_bytes() const {
  return static_cast<double>(keys_.bytes() + bridge_.bytes() + PackedBytes(decoder_.cells) +
                             decoder_.attentional.bytes());
}

Buffer RecurrentInferenceDecoder::Keys(const EncoderOutput& sources) const {
  const Matrix values = sources.values.view();
  if (keys_.columns() > 0) {
    Buffer keys(values.rows, keys_.columns());
    Multiply(values, keys_, keys.view());
    return keys;
  }
  const double scale = KeyScale(attention_, values.columns);
  if (scale == 1) return sources.values;
  Buffer keys(values.rows, values.columns);
  Copy(values, keys.view());
  Scale(keys.view(), static_cast<float>(scale));
  return keys;
}

DecoderRows RecurrentInferenceDecoder::Bridge(const EncoderOutput& sources) const {
  switch (bridge_kind_) {
    case BridgeKind::kDense:
      return DenseBridge(sources.summary.view());
    case BridgeKind::kMean:
      return DenseBridge(Means(sources).view());
    case BridgeKind::kCopy:
    case BridgeKind::kZero:
      break;
  }
  DecoderRows start(decoder_, sources.batch());
  Clear(start.attentional_state.view());
  for (size_t layer = 0; layer < start.hidden.size(); ++layer) {
    Clear(start.cell_state[layer].view());
    Clear(start.hidden[layer].view());
    if (bridge_kind_ == BridgeKind::kCopy) Copy(sources.summary.view(), start.hidden[layer].view());
  }
  return start;
}

DecoderRows RecurrentInferenceDecoder::DenseBridge(ConstMatrix summary) const {
  const Buffer states(summary.rows, bridge_.columns());
  Multiply(summary, bridge_, states.view(), shared_.bridge_bias.values<float>());
  TanhForward(states.view());
  DecoderRows start(decoder_, summary.rows);
  Clear(start.attentional_state.view());
  int64_t column = 0;
  for (size_t layer = 0; layer < start.hidden.size(); ++layer) {
    for (const Buffer& state : {start.hidden[layer], start.cell_state[layer]}) {
      const Matrix rows = state.view();
      if (rows.rows == 0) continue;  // A cell without cell state.
      Copy(states.view().Columns(column, rows.columns), rows);
      column += rows.columns;
    }
  }
  return start;
}

std::unique_ptr<StepDecoder> RecurrentInferenceDecoder::Begin(const EncoderOutput& sources,
                                                              const PackedOutput& output) const {
  const Buffer keys = Keys(sources);
  std::vector<AttentionMemory> memories;
  for (int64_t sentence = 0; sentence < sources.batch(); ++sentence) {
    const auto of = [&](const Buffer& rows) {
      const Matrix all = sources.Of(sentence, rows);
      return attention_ == AttentionKind::kNone ? all.Columns(0, 0) : all;
    };
    memories.push_back({of(keys), of(sources.values)});
  }
  return std::make_unique<RecurrentStepDecoder>(decoder_, output, Bridge(sources), sources.values,
                                                keys, std::move(memories));
}

}  // namespace seq2seq
