#include "seq2seq/inference/inference_model.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/kernels/gates.h"
#include "seq2seq/kernels/packed_sequence.h"
#include "seq2seq/kernels/product_kernel.h"
#include "seq2seq/ops/autograd_support.h"
#include "seq2seq/ops/sequence_ops.h"

namespace seq2seq {
namespace {

CellWeights WeightsOf(const TensorMap& parameters, const std::string& cell) {
  const auto peephole = parameters.find(cell + ".peephole");
  return {View(parameters.at(cell + ".weight_ih")), View(parameters.at(cell + ".weight_hh")),
          Values(parameters.at(cell + ".bias_ih")), Values(parameters.at(cell + ".bias_hh")),
          peephole == parameters.end() ? nullptr : Values(peephole->second)};
}

// Releases the parameters of a cell that are used in packed form alone.
void LetGoOfWeights(TensorMap& parameters, const std::string& cell) {
  parameters.erase(cell + ".weight_ih");
  parameters.erase(cell + ".weight_hh");
}

// Packing removes weights from `parameters`, so that the model is not in RAM twice; embeddings and
// biases, which are used unpacked, stay.

std::vector<std::vector<PackedCell>> PackEncoder(TensorMap& parameters, const ModelOptions& options,
                                                 Precision precision) {
  std::vector<std::vector<PackedCell>> layers;
  if (options.source != SourceKind::kText) return layers;
  for (int64_t layer = 0; layer < options.encoder.layers; ++layer) {
    std::vector<std::string> names = {absl::StrCat("encoder.forward_", layer)};
    if (IsBidirectional(options.encoder, layer))
      names.push_back(absl::StrCat("encoder.backward_", layer));
    std::vector<CellWeights> cells;
    for (const std::string& name : names) cells.push_back(WeightsOf(parameters, name));
    layers.push_back(PackCells(options.encoder.cell, cells, precision));
    for (const std::string& name : names) LetGoOfWeights(parameters, name);
  }
  return layers;
}

// Empty if there is no such parameter.
PackedMatrix PackOne(TensorMap& parameters, const std::string& name, Precision precision) {
  const auto weight = parameters.find(name);
  if (weight == parameters.end()) return {};
  PackedMatrix packed = PackedMatrix::PackTransposed(View(weight->second), precision);
  parameters.erase(weight);
  return packed;
}

PackedDecoder PackDecoder(TensorMap& parameters, const DecoderOptions& options,
                          Precision precision) {
  DecoderWeights weights;
  weights.embedding = View(parameters.at("decoder.embedding.weight"));
  std::vector<std::string> names;
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    names.push_back(absl::StrCat("decoder.cell_", layer));
    weights.cells.push_back(WeightsOf(parameters, names.back()));
  }
  weights.attentional = View(parameters.at("decoder.attentional.weight"));
  PackedDecoder packed(options.cell, weights, precision);
  for (const std::string& name : names) LetGoOfWeights(parameters, name);
  parameters.erase("decoder.attentional.weight");
  return packed;
}

// The model if it encodes the sources itself: text is encoded by the packed weights.
Model EncoderOf(Model model) {
  return model->options().source == SourceKind::kText ? Model(nullptr) : model;
}

const torch::Tensor& OutputWeight(const TensorMap& parameters) {
  const auto own = parameters.find("decoder.output_weight");
  return own == parameters.end() ? parameters.at("decoder.embedding.weight") : own->second;
}

// [1, vocab]
ConstMatrix OutputBias(const TensorMap& parameters) {
  return View(parameters.at("decoder.output_bias").unsqueeze(0));
}

// A buffer of `rows` rows, rounded up to a multiple of 16, so that products have few shapes; the
// rows after them are zero.
Buffer RoundBuffer(int64_t rows, int64_t columns) {
  Buffer buffer((rows + 15) / 16 * 16, columns);
  Clear(Rest(buffer.view(), rows));
  return buffer;
}

void Scale(Matrix values, float factor) {
  for (int64_t row = 0; row < values.rows; ++row) {
    float* value = values.row(row);
    for (int64_t i = 0; i < values.columns; ++i) value[i] *= factor;
  }
}

}  // namespace

std::string InferenceModel::UnknownPart(const ModelOptions& options) {
  const DecoderOptions& decoder = options.decoder;
  if (options.source == SourceKind::kText && !HasKernel(options.encoder.cell))
    return absl::StrCat("encoder.cell=", EnumText(options.encoder.cell));
  if (HasKernel(decoder)) return "";
  if (!HasKernel(decoder.cell)) return absl::StrCat("decoder.cell=", EnumText(decoder.cell));
  if (decoder.context_gate) return "decoder.context_gate=true";
  if (decoder.residual && decoder.layers > 1) return "decoder.residual=true";
  return absl::StrCat("decoder.attention=", EnumText(decoder.attention));
}

InferenceModel::InferenceModel(Model model, Precision precision)
    : options_(model->options()),
      parameters_(Parameters(*model)),
      model_(EncoderOf(std::move(model))),
      precision_(precision),
      encoder_(PackEncoder(parameters_, options_, precision)),
      keys_(PackOne(parameters_, "decoder.attention.projection.weight", precision)),
      bridge_(PackOne(parameters_, "bridge.dense.weight", precision)),
      decoder_(PackDecoder(parameters_, options_.decoder, precision)),
      output_{PackedMatrix::PackTransposed(View(OutputWeight(parameters_)), precision),
              Buffer(1, options_.target_vocab)} {
  Copy(OutputBias(parameters_), output_.bias.view());
}

double InferenceModel::bytes() const {
  double bytes = 0;
  for (const auto& [name, parameter] : model_.is_empty() ? parameters_ : Parameters(*model_))
    bytes += static_cast<double>(parameter.nbytes());
  const auto add = [&](const PackedMatrix& matrix) {
    bytes +=
        static_cast<double>(matrix.panels() * matrix.steps() * kPanelColumns) * sizeof(uint32_t);
  };
  const auto add_cells = [&](const std::vector<PackedCell>& cells) {
    for (const PackedCell& cell : cells) {
      add(cell.input);
      add(cell.hidden);
    }
  };
  for (const std::vector<PackedCell>& layer : encoder_) add_cells(layer);
  add_cells(decoder_.cells);
  for (const PackedMatrix* matrix : {&keys_, &bridge_, &decoder_.attentional, &output_.weight})
    add(*matrix);
  return bytes;
}

PackedOutput InferenceModel::Output(absl::Span<const int32_t> tokens) const {
  const ConstMatrix weight = View(OutputWeight(parameters_));
  const ConstMatrix bias = OutputBias(parameters_);
  const auto count = static_cast<int64_t>(tokens.size());
  const Buffer weights(count, weight.columns);
  const Buffer biases(1, count);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t token = tokens[static_cast<size_t>(i)];
    Copy(weight.Rows(token, 1), weights.view().Rows(i, 1));
    Copy(bias.Columns(token, 1), biases.view().Columns(i, 1));
  }
  return {PackedMatrix::PackTransposed(weights.view(), precision_), biases};
}

EncodedSources InferenceModel::Encode(const Batch& sources) const {
  return encoder_.empty() ? EncodePlainly(sources) : EncodeText(sources);
}

EncodedSources InferenceModel::EncodeText(const Batch& batch) const {
  const auto steps = PackSequence(batch.source_lengths, CellsSideBySide(options_.encoder));
  const std::vector<int64_t> ids = OrderTokens(batch.source, *steps);
  const ConstMatrix embedding = View(parameters_.at(
      options_.shared_embeddings ? "decoder.embedding.weight" : "encoder.embedding.weight"));
  Buffer states(steps->rows(), embedding.columns);
  for (int64_t row = 0; row < steps->rows(); ++row) {
    Copy(embedding.Rows(ids[static_cast<size_t>(row)], 1), states.view().Rows(row, 1));
  }
  for (size_t number = 0; number < encoder_.size(); ++number) {
    const std::vector<PackedCell>& layer = encoder_[number];
    const auto directions = static_cast<int64_t>(layer.size());
    const Buffer outputs(steps->rows(), directions * layer[0].hidden.rows());
    RecurrentForward(*steps, states.view(), layer, outputs.view());
    if (AddsInput(options_.encoder, static_cast<int64_t>(number), states.view().columns))
      Add(states.view(), outputs.view());
    states = outputs;
  }

  // From the order of time steps to that of sentences.
  const int64_t size = states.view().columns;
  const int64_t hidden = options_.encoder.hidden;
  const Buffer values = RoundBuffer(steps->tokens(), size);
  const Buffer summary(batch.size(), size);
  const auto* lengths = batch.source_lengths.data_ptr<int64_t>();
  std::vector<int64_t> begins = {0};
  for (int64_t s = 0; s < batch.size(); ++s) begins.push_back(begins.back() + lengths[s]);
  steps->ForEachToken([&](int64_t row, int64_t sequence, int64_t step) {
    const Matrix state = states.view().Rows(row, 1);
    const int64_t begin = begins[static_cast<size_t>(sequence)];
    Copy(state, values.view().Rows(begin + step, 1));
    const Matrix whole = summary.view().Rows(sequence, 1);
    if (step == 0) Copy(state.Columns(hidden, size - hidden), whole.Columns(hidden, size - hidden));
    if (step + 1 == lengths[sequence]) Copy(state.Columns(0, hidden), whole.Columns(0, hidden));
  });
  if (options_.bridge == BridgeKind::kMean) {
    for (int64_t s = 0; s < batch.size(); ++s) {
      SumRows(values.view().Rows(begins[static_cast<size_t>(s)], lengths[s]),
              summary.view().row(s));
      Scale(summary.view().Rows(s, 1), 1 / static_cast<float>(lengths[s]));
    }
  }
  Buffer keys = values;
  if (keys_.columns() > 0) {
    keys = Buffer(values.view().rows, keys_.columns());
    Multiply(values.view(), keys_, keys.view());
  } else if (options_.decoder.attention == AttentionKind::kScaledDot) {
    keys = Buffer(values.view().rows, size);
    Copy(values.view(), keys.view());
    Scale(keys.view(), 1 / std::sqrt(static_cast<float>(size)));
  }
  EncodedSources sources = {values, keys, {}, {}, Bridge(summary.view())};
  const bool reads = options_.decoder.attention != AttentionKind::kNone;
  for (int64_t s = 0; s < batch.size(); ++s) {
    const auto own = [&](const Buffer& rows) {
      const Matrix all = rows.view().Rows(begins[static_cast<size_t>(s)], lengths[s]);
      return reads ? all : all.Columns(0, 0);
    };
    sources.sources.push_back({own(keys), own(values)});
  }
  return sources;
}

EncodedSources InferenceModel::EncodePlainly(const Batch& batch) const {
  Model model = model_;
  const ModelImpl::Start begun = model->Begin(batch);
  EncodedSources sources = {{},
                            {},
                            {begun.memory.values.contiguous(), begun.memory.keys.contiguous()},
                            {},
                            DecoderRows(decoder_, batch.size())};
  const int64_t positions = begun.memory.values.size(1);
  for (int64_t s = 0; s < batch.size(); ++s) {
    sources.sources.push_back({View(sources.tensors[1][s]).Rows(0, positions),
                               View(sources.tensors[0][s]).Rows(0, positions)});
  }
  const auto copy = [](const torch::Tensor& state, const Buffer& rows) {
    if (state.defined()) Copy(View(state.contiguous()), rows.view());
  };
  for (size_t layer = 0; layer < begun.state.cells.size(); ++layer) {
    copy(begun.state.cells[layer].hidden, sources.start.hidden[layer]);
    copy(begun.state.cells[layer].memory, sources.start.memory[layer]);
  }
  copy(begun.state.attentional_state, sources.start.attentional_state);
  return sources;
}

DecoderRows InferenceModel::Bridge(ConstMatrix summary) const {
  DecoderRows start(decoder_, summary.rows);
  Clear(start.attentional_state.view());
  if (bridge_.columns() == 0) {
    const bool copies = options_.bridge == BridgeKind::kCopy;
    for (size_t layer = 0; layer < start.hidden.size(); ++layer) {
      Clear(start.memory[layer].view());
      Clear(start.hidden[layer].view());
      if (copies) Copy(summary, start.hidden[layer].view());
    }
    return start;
  }
  const Buffer dense(summary.rows, bridge_.columns());
  Multiply(summary, bridge_, dense.view(), Values(parameters_.at("bridge.dense.bias")));
  TanhForward(dense.view());
  int64_t column = 0;
  for (size_t layer = 0; layer < start.hidden.size(); ++layer) {
    for (const Buffer& state : {start.hidden[layer], start.memory[layer]}) {
      const Matrix rows = state.view();
      if (rows.rows == 0) continue;
      Copy(dense.view().Columns(column, rows.columns), rows);
      column += rows.columns;
    }
  }
  return start;
}

}  // namespace seq2seq
