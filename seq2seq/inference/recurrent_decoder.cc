#include "seq2seq/inference/recurrent_decoder.h"

#include <algorithm>
#include <utility>

#include "seq2seq/inference/packed_weights.h"

namespace seq2seq {

RecurrentInferenceDecoder::RecurrentInferenceDecoder(const ModelOptions& options,
                                                     DecoderArrays& arrays, Precision precision)
    : bridge_kind_(BridgeOf(options)),
      bridge_(PackAndDrop(arrays.bridge, precision)),
      decoder_(options.decoder, EncodedSize(options), arrays, precision) {}

double RecurrentInferenceDecoder::packed_bytes() const {
  return static_cast<double>(bridge_.bytes() + decoder_.packed_bytes());
}

DecoderRows RecurrentInferenceDecoder::Bridge(const EncoderOutput& sources) const {
  int64_t longest = 0;
  for (int64_t s = 0; s < sources.batch(); ++s) longest = std::max(longest, sources.length(s));
  DecoderRows start(decoder_, sources.batch(), longest);
  Clear(start.attentional_state.view());
  Clear(start.past.view());
  for (size_t layer = 0; layer < start.hidden.size(); ++layer) {
    Clear(start.hidden[layer].view());
    Clear(start.cell_state[layer].view());
  }
  switch (bridge_kind_) {
    case BridgeKind::kDense:
      DenseBridge(sources.summary.view(), start);
      break;
    case BridgeKind::kMean:
      DenseBridge(sources.Means().view(), start);
      break;
    case BridgeKind::kCopy:
      for (const Buffer& hidden : start.hidden) Copy(sources.summary.view(), hidden.view());
      break;
    case BridgeKind::kLayers:
      for (size_t layer = 0; layer < start.hidden.size(); ++layer) {
        Copy(sources.hidden[layer].view(), start.hidden[layer].view());
        Copy(sources.cell_state[layer].view(), start.cell_state[layer].view());
      }
      break;
    case BridgeKind::kZero:
      break;
  }
  return start;
}

void RecurrentInferenceDecoder::DenseBridge(ConstMatrix summary, DecoderRows& start) const {
  const Buffer states(summary.rows, bridge_.columns());
  Multiply(summary, bridge_, states.view(), decoder_.arrays.bridge_bias.values<float>());
  TanhForward(states.view());
  int64_t column = 0;
  for (size_t layer = 0; layer < start.hidden.size(); ++layer) {
    for (const Buffer& state : {start.hidden[layer], start.cell_state[layer]}) {
      const Matrix rows = state.view();
      if (rows.rows == 0) continue;  // A cell without cell state.
      Copy(states.view().Columns(column, rows.columns), rows);
      column += rows.columns;
    }
  }
}

std::unique_ptr<StepDecoder> RecurrentInferenceDecoder::Begin(const EncoderOutput& sources,
                                                              const PackedOutput& output) const {
  return std::make_unique<RecurrentStepDecoder>(decoder_, output, Bridge(sources),
                                                decoder_.attention->Memorize(sources));
}

}  // namespace seq2seq
