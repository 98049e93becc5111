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

void List(int64_t size, int64_t memory, TransformerAttentionArrays& attention,
          const ArrayLister& lister) {
  if (memory == size) {
    lister.Add("in_proj_weight", attention.in_proj, {3 * size, size});
  } else {
    lister.Add("q_proj_weight", attention.query_proj, {size, size});
    lister.Add("k_proj_weight", attention.key_proj, {size, memory});
    lister.Add("v_proj_weight", attention.value_proj, {size, memory});
  }
  lister.Add("in_proj_bias", attention.in_proj_bias, {3 * size});
  lister.Add("out_proj.weight", attention.out_proj, {size, size});
  lister.Add("out_proj.bias", attention.out_proj_bias, {size});
}

void ListFeedForward(const TransformerOptions& options, int64_t size, TransformerLayerArrays& layer,
                     const ArrayLister& lister) {
  const int64_t hidden = options.feed_forward;
  lister.Add("linear1.weight", layer.linear1, {hidden, size});
  lister.Add("linear1.bias", layer.linear1_bias, {hidden});
  if (options.gated) {
    lister.Add("gate.weight", layer.gate, {hidden, size});
    lister.Add("gate.bias", layer.gate_bias, {hidden});
  }
  lister.Add("linear2.weight", layer.linear2, {size, hidden});
  lister.Add("linear2.bias", layer.linear2_bias, {size});
}

// What stands around the layers.
void List(const TransformerOptions& options, int64_t size, TransformerArrays& transformer,
          const ArrayLister& lister) {
  if (options.positions == PositionKind::kLearned)
    lister.Add("positions", transformer.positions, {options.max_positions, size});
  if (options.norm == NormPlacement::kPre) ListArrays(size, transformer.norm, lister.In("norm"));
}

void ListTransformer(const EncoderOptions& options, TransformerArrays& encoder,
                     const ArrayLister& lister) {
  const int64_t size = options.hidden;
  List(options.transformer, size, encoder, lister);
  encoder.layers.resize(static_cast<size_t>(options.layers));
  for (int64_t number = 0; number < options.layers; ++number) {
    TransformerLayerArrays& layer = encoder.layers[static_cast<size_t>(number)];
    const ArrayLister in_layer = lister.In(absl::StrCat("layer_", number));
    List(size, size, layer.self_attention, in_layer.In("self_attn"));
    ListArrays(size, layer.self_norm, in_layer.In("norm1"));
    ListArrays(size, layer.feed_forward_norm, in_layer.In("norm2"));
    ListFeedForward(options.transformer, size, layer, in_layer);
  }
}

void ListTransformer(const ModelOptions& model, TransformerArrays& decoder,
                     const ArrayLister& lister) {
  const DecoderOptions& options = model.decoder;
  const int64_t size = options.hidden;
  List(options.transformer, size, decoder, lister);
  decoder.layers.resize(static_cast<size_t>(options.layers));
  for (int64_t number = 0; number < options.layers; ++number) {
    TransformerLayerArrays& layer = decoder.layers[static_cast<size_t>(number)];
    const ArrayLister in_layer = lister.In(absl::StrCat("layer_", number));
    if (options.kind == DecoderKind::kSsru) {
      in_layer.Add("ssru.weight", layer.ssru, {2 * size, size});
      in_layer.Add("ssru.bias", layer.ssru_bias, {size});
    } else {
      List(size, size, layer.self_attention, in_layer.In("self_attn"));
    }
    ListArrays(size, layer.self_norm, in_layer.In("norm1"));
    if (HasAttention(model)) {
      List(size, EncodedSize(model), layer.cross_attention, in_layer.In("multihead_attn"));
      ListArrays(size, layer.cross_norm, in_layer.In("norm2"));
    }
    ListArrays(size, layer.feed_forward_norm, in_layer.In("norm3"));
    ListFeedForward(options.transformer, size, layer, in_layer);
  }
}

void List(const ModelOptions& model, EncoderArrays& encoder, const ArrayLister& lister) {
  const EncoderOptions& options = model.encoder;
  if (!model.shared_embeddings) {
    lister.Add("embedding.weight", encoder.embedding, {model.source_vocab, EmbeddingSize(options)});
  }
  if (options.kind == EncoderKind::kTransformer)
    return ListTransformer(options, encoder.transformer, lister);
  encoder.layers.resize(static_cast<size_t>(options.layers));
  int64_t input = options.embedding;
  for (int64_t number = 0; number < options.layers; ++number) {
    EncoderArrays::Layer& layer = encoder.layers[static_cast<size_t>(number)];
    const bool both = IsBidirectional(options, number);
    List(options.cell, input, options.hidden, layer.forward,
         lister.In(absl::StrCat("forward_", number)));
    if (both) {
      List(options.cell, input, options.hidden, layer.backward,
           lister.In(absl::StrCat("backward_", number)));
    }
    input = LayerSize(options, number);
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

void ListRecurrent(const ModelOptions& model, DecoderArrays& decoder, const ArrayLister& lister) {
  const DecoderOptions& options = model.decoder;
  const int64_t hidden = options.hidden;
  const int64_t attentional = AttentionalSize(options);
  const int64_t memory = EncodedSize(model);
  decoder.cells.resize(static_cast<size_t>(options.layers));
  int64_t input = options.embedding + (options.input_feeding ? attentional : 0);
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    List(options.cell, input, hidden, decoder.cells[static_cast<size_t>(layer)],
         lister.In(absl::StrCat("cell_", layer)));
    input = hidden;
  }
  const int64_t context = ContextSize(options.attention, memory, hidden);
  if (options.conditional)
    List(options.cell, context, hidden, decoder.context_cell, lister.In("context_cell"));
  ListArrays(options.attention, memory, hidden, decoder.attention, lister.In("attention"));
  if (options.context_gate) {
    lister.Add("gate.weight", decoder.gate, {1, hidden});
    lister.Add("gate.bias", decoder.gate_bias, {1});
  }
  lister.Add("readout.weight", decoder.attentional, {attentional, context + hidden});
}

void List(const ModelOptions& model, DecoderArrays& decoder, const ArrayLister& lister) {
  const DecoderOptions& options = model.decoder;
  lister.Add("embedding.weight", decoder.embedding, {model.target_vocab, EmbeddingSize(options)});
  switch (options.kind) {
    case DecoderKind::kRecurrent:
      ListRecurrent(model, decoder, lister);
      break;
    case DecoderKind::kTransformer:
    case DecoderKind::kSsru:
      ListTransformer(model, decoder.transformer, lister);
      break;
    case DecoderKind::kHead:
      lister.Add("dense.weight", decoder.dense, {options.hidden, EncodedSize(model)});
      lister.Add("dense.bias", decoder.dense_bias, {options.hidden});
      ListArrays(options.hidden, decoder.norm, lister.In("norm"));
      break;
  }
  if (!options.tied_embeddings) {
    lister.Add("output_weight", decoder.output_weight, {model.target_vocab, OutputSize(options)});
  }
  lister.Add("output_bias", decoder.output_bias, {model.target_vocab});
  if (options.copy) {
    lister.Add("copy_gate.weight", decoder.copy_gate, {1, OutputSize(options)});
    lister.Add("copy_gate.bias", decoder.copy_gate_bias, {1});
  }
}

void ListBridge(const ModelOptions& model, DecoderArrays& decoder, const ArrayLister& lister) {
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
    case BridgeKind::kLayers:
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
