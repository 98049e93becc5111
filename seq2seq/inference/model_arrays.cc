#include "seq2seq/inference/model_arrays.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace seq2seq {
namespace {

void List(CellKind kind, int64_t input, int64_t hidden, CellArrays& cell,
          const ArrayLister& lister) {
  const int64_t rows = GatesOf(kind) * hidden;
  lister.Add("weight_ih", cell.weight_ih, {rows, input});
  lister.Add("weight_hh", cell.weight_hh, {rows, hidden});
  lister.Add("bias_ih", cell.bias_ih, {rows});
  lister.Add("bias_hh", cell.bias_hh, {rows});
  switch (kind) {
    case CellKind::kLstm:
    case CellKind::kGru:
    case CellKind::kRnnTanh:
    case CellKind::kRnnRelu:
      break;
    case CellKind::kPeephole:
      lister.Add("peephole", cell.peephole, {3, hidden});
      break;
    case CellKind::kCoupled:
      lister.Add("peephole", cell.peephole, {2, hidden});
      break;
    case CellKind::kLayerNormLstm:
      lister.Add("norm_ih", cell.norm_ih, {rows});
      lister.Add("norm_hh", cell.norm_hh, {rows});
      lister.Add("norm_memory", cell.norm_cell_state, {hidden});
      lister.Add("norm_memory_bias", cell.norm_cell_state_bias, {hidden});
      break;
    case CellKind::kLayerNormGru:
      lister.Add("norm_ih", cell.norm_ih, {rows});
      lister.Add("norm_hh", cell.norm_hh, {rows});
      break;
  }
}

void List(const ModelOptions& model, RecurrentEncoderArrays& encoder, const ArrayLister& lister) {
  const EncoderOptions& options = model.encoder;
  if (!model.shared_embeddings) {
    lister.Add("embedding.weight", encoder.embedding, {model.source_vocab, options.embedding});
  }
  encoder.layers.resize(static_cast<size_t>(options.layers));
  int64_t input = options.embedding;
  for (int64_t number = 0; number < options.layers; ++number) {
    RecurrentEncoderArrays::Layer& layer = encoder.layers[static_cast<size_t>(number)];
    const bool both = IsBidirectional(options, number);
    List(options.cell, input, options.hidden, layer.forward,
         lister.In(absl::StrCat("forward_", number)));
    if (both) {
      List(options.cell, input, options.hidden, layer.backward,
           lister.In(absl::StrCat("backward_", number)));
    }
    input = (both ? 2 : 1) * options.hidden;
  }
}

void List(const ImageEncoderOptions& options, ImageEncoderArrays& encoder,
          const ArrayLister& lister) {
  if (options.network.kind == ImageNetworkKind::kResidual)
    ListArrays(options.network, encoder.network, lister.In("network"));
  ListArrays(options.channels, encoder.norm, lister.In("norm"));
  lister.Add("projection.weight", encoder.projection, {options.hidden, options.channels});
  lister.Add("projection.bias", encoder.projection_bias, {options.hidden});
  if (!options.recurrent) return;
  const int64_t half = options.hidden / 2;
  List(CellKind::kLstm, options.hidden, half, encoder.forward, lister.In("forward"));
  List(CellKind::kLstm, options.hidden, half, encoder.backward, lister.In("backward"));
}

void List(const ModelOptions& model, RecurrentDecoderArrays& decoder, const ArrayLister& lister) {
  const DecoderOptions& options = model.decoder;
  const int64_t hidden = options.hidden;
  const int64_t attentional = AttentionalSize(options);
  const int64_t memory = EncodedSize(model);
  lister.Add("embedding.weight", decoder.embedding, {model.target_vocab, options.embedding});
  decoder.cells.resize(static_cast<size_t>(options.layers));
  int64_t input = options.embedding + (options.input_feeding ? attentional : 0);
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    List(options.cell, input, hidden, decoder.cells[static_cast<size_t>(layer)],
         lister.In(absl::StrCat("cell_", layer)));
    input = hidden;
  }
  ListArrays(options.attention, memory, hidden, decoder.attention, lister.In("attention"));
  if (options.context_gate) {
    lister.Add("gate.weight", decoder.gate, {1, hidden});
    lister.Add("gate.bias", decoder.gate_bias, {1});
  }
  lister.Add("readout.weight", decoder.attentional,
             {attentional, ContextSize(options.attention, memory, hidden) + hidden});
  if (!options.tied_embeddings)
    lister.Add("output_weight", decoder.output_weight, {model.target_vocab, attentional});
  lister.Add("output_bias", decoder.output_bias, {model.target_vocab});
}

void ListBridge(const ModelOptions& model, RecurrentDecoderArrays& decoder,
                const ArrayLister& lister) {
  switch (BridgeOf(model)) {
    case BridgeKind::kDense:
    case BridgeKind::kMean: {
      const DecoderOptions& options = model.decoder;
      const int64_t states = (HasCellState(options.cell) ? 2 : 1) * options.layers * options.hidden;
      lister.Add("dense.weight", decoder.bridge, {states, EncodedSize(model)});
      lister.Add("dense.bias", decoder.bridge_bias, {states});
      break;
    }
    case BridgeKind::kCopy:
    case BridgeKind::kZero:
      break;
  }
}

}  // namespace

std::vector<NamedArray> ListArrays(const ModelOptions& options, ModelArrays& arrays) {
  std::vector<NamedArray> list;
  const ArrayLister lister("", list);
  if (options.source == SourceKind::kText) List(options, arrays.encoder, lister.In("encoder"));
  if (options.source == SourceKind::kImage)
    List(options.image, arrays.image_encoder, lister.In("image_encoder"));
  List(options, arrays.decoder, lister.In("decoder"));
  ListBridge(options, arrays.decoder, lister.In("bridge"));
  return list;
}

absl::StatusOr<ModelArrays> TakeArrays(const ModelOptions& options, ArrayMap from,
                                       const std::string& path) {
  ModelArrays arrays;
  for (const NamedArray& parameter : ListArrays(options, arrays)) {
    const auto found = from.find(parameter.name);
    if (found == from.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": has no tensor '", parameter.name, "', which the model needs"));
    }
    if (found->second.shape != parameter.shape) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": tensor '", parameter.name, "' is ", ShapeText(found->second.shape),
                       ", the model needs ", ShapeText(parameter.shape)));
    }
    *parameter.array = std::move(found->second);
    from.erase(found);
  }
  if (from.empty()) return arrays;
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": tensor '", from.begin()->first, "' is not part of the model"));
}

}  // namespace seq2seq
