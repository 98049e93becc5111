#include "seq2seq/inference/model_arrays.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace seq2seq {
namespace {

// Collects the parameters of a module.
class Lister {
 public:
  Lister(std::string prefix, std::vector<NamedArray>& list)
      : prefix_(std::move(prefix)), list_(list) {}

  void Add(const char* name, Array& array, std::vector<int64_t> shape) const {
    list_.push_back({absl::StrCat(prefix_, name), &array, std::move(shape)});
  }

  Lister In(const std::string& module) const { return {absl::StrCat(prefix_, module, "."), list_}; }

 private:
  std::string prefix_;
  std::vector<NamedArray>& list_;
};

// Number of gates, of `hidden` rows each, in the weights of a cell.
int64_t GatesOf(CellKind kind) {
  switch (kind) {
    case CellKind::kLstm:
    case CellKind::kPeephole:
    case CellKind::kLayerNormLstm:
      return 4;
    case CellKind::kGru:
    case CellKind::kCoupled:
    case CellKind::kLayerNormGru:
      return 3;
    case CellKind::kRnnTanh:
    case CellKind::kRnnRelu:
      return 1;
  }
  return 0;  // Not one of the kinds.
}

void List(CellKind kind, int64_t input, int64_t hidden, CellArrays& cell, const Lister& lister) {
  const int64_t rows = GatesOf(kind) * hidden;
  lister.Add("weight_ih", cell.weight_ih, {rows, input});
  lister.Add("weight_hh", cell.weight_hh, {rows, hidden});
  lister.Add("bias_ih", cell.bias_ih, {rows});
  lister.Add("bias_hh", cell.bias_hh, {rows});
  if (kind == CellKind::kPeephole) lister.Add("peephole", cell.peephole, {3, hidden});
  if (kind == CellKind::kCoupled) lister.Add("peephole", cell.peephole, {2, hidden});
  if (kind == CellKind::kLayerNormLstm || kind == CellKind::kLayerNormGru) {
    lister.Add("norm_ih", cell.norm_ih, {rows});
    lister.Add("norm_hh", cell.norm_hh, {rows});
  }
  if (kind == CellKind::kLayerNormLstm) {
    lister.Add("norm_memory", cell.norm_cell_state, {hidden});
    lister.Add("norm_memory_bias", cell.norm_cell_state_bias, {hidden});
  }
}

void List(const ModelOptions& model, RecurrentEncoderArrays& encoder, const Lister& lister) {
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

// Additive attention, and what coverage and location add to it.
void ListAdditive(int64_t memory, int64_t hidden, AttentionArrays& attention,
                  const Lister& lister) {
  lister.Add("key_projection.weight", attention.key_projection, {hidden, memory});
  lister.Add("key_projection.bias", attention.key_projection_bias, {hidden});
  lister.Add("query_projection.weight", attention.query_projection, {hidden, hidden});
  lister.Add("energy.weight", attention.energy, {1, hidden});
}

void List(AttentionKind kind, int64_t memory, int64_t hidden, AttentionArrays& attention,
          const Lister& lister) {
  switch (kind) {
    case AttentionKind::kGeneral:
      lister.Add("projection.weight", attention.projection, {hidden, memory});
      break;
    case AttentionKind::kDot:
    case AttentionKind::kScaledDot:
    case AttentionKind::kNone:
      break;
    case AttentionKind::kMlp:
      ListAdditive(memory, hidden, attention, lister);
      break;
    case AttentionKind::kCoverage:
      ListAdditive(memory, hidden, attention, lister);
      lister.Add("coverage.weight", attention.coverage, {hidden, 1});
      break;
    case AttentionKind::kLocation:
      ListAdditive(memory, hidden, attention, lister);
      lister.Add("filters.weight", attention.filters, {kLocationFilters, 1, kLocationFilterWidth});
      lister.Add("location.weight", attention.location, {hidden, kLocationFilters});
      break;
    case AttentionKind::kMultiHead:
      lister.Add("query_projection.weight", attention.query_projection, {hidden, hidden});
      lister.Add("key_projection.weight", attention.key_projection, {hidden, memory});
      lister.Add("value_projection.weight", attention.value_projection, {hidden, memory});
      break;
  }
}

void List(const ModelOptions& model, RecurrentDecoderArrays& decoder, const Lister& lister) {
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
  List(options.attention, memory, hidden, decoder.attention, lister.In("attention"));
  if (options.context_gate) {
    lister.Add("gate.weight", decoder.gate, {1, hidden});
    lister.Add("gate.bias", decoder.gate_bias, {1});
  }
  lister.Add("readout.weight", decoder.attentional,
             {attentional, ContextSize(options, memory) + hidden});
  if (!options.tied_embeddings)
    lister.Add("output_weight", decoder.output_weight, {model.target_vocab, attentional});
  lister.Add("output_bias", decoder.output_bias, {model.target_vocab});
}

void ListBridge(const ModelOptions& model, RecurrentDecoderArrays& decoder, const Lister& lister) {
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
  const Lister lister("", list);
  if (options.source == SourceKind::kText) List(options, arrays.encoder, lister.In("encoder"));
  List(options, arrays.decoder, lister.In("decoder"));
  if (options.source != SourceKind::kNone) ListBridge(options, arrays.decoder, lister.In("bridge"));
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
  for (const auto& [name, array] : from) {
    if (absl::StartsWith(name, "image_encoder.")) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": tensor '", name, "' is not part of the model"));
  }
  return arrays;
}

}  // namespace seq2seq
