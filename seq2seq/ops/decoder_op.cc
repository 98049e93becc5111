#include "seq2seq/ops/decoder_op.h"

#include <memory>
#include <utility>

#include "seq2seq/base/profile.h"
#include "seq2seq/kernels/decoder.h"
#include "seq2seq/kernels/parallel.h"
#include "seq2seq/ops/autograd_support.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/ops/sequence_ops.h"

namespace seq2seq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A call of the decoder kernel, without its tensors.
struct DecoderCall {
  DecoderPlan plan;
  std::shared_ptr<const PackedSequence> steps;  // What `plan` points to.
  std::vector<int64_t> tokens;  // [row]; after the forward pass, the tokens that were fed.
  std::vector<int64_t> source_lengths;
  size_t layers = 0;
  bool additive = false, covers = false;  // The attention.
  bool with_attention = false;

  // For scheduled sampling.
  std::unique_ptr<bool[]> predicted;  // [row], or null.
  bool sample = false;
  torch::Tensor output_weight;
  torch::Tensor output_bias;

  DecoderCache cache;
};

// The tensors of a call: embedding, attentional_state, keys, values, those of additive attention,
// then the initial hidden (and cell) state of each layer, then the parameters of each cell.
struct Tensors {
  Tensors(absl::Span<const torch::Tensor> all, const DecoderCall& call)
      : embedding(all[0]), attentional_state(all[1]), keys(all[2]), values(all[3]) {
    size_t next = 4;
    if (call.additive) {
      query = all[next++];
      energy = all[next++];
      if (call.covers) coverage = all[next++];
    }
    const size_t states = call.layers * (HasCellState(call.plan.cell) ? 2 : 1);
    start = all.subspan(next, states);
    const size_t count = call.layers + (call.plan.conditional ? 1 : 0);
    cells = all.subspan(next + states, count * CountTensors(call.plan.cell));
  }

  torch::Tensor embedding, attentional_state, keys, values;
  torch::Tensor query, energy, coverage;  // Undefined where the attention has none.
  absl::Span<const torch::Tensor> start;
  absl::Span<const torch::Tensor> cells;
};

// The states of layers, which follow each other in `tensors`, as structs of the kernels.
template <typename States>
States StatesOf(absl::Span<const torch::Tensor> tensors, CellKind kind) {
  States states;
  const size_t step = HasCellState(kind) ? 2 : 1;
  for (size_t i = 0; i < tensors.size(); i += step) {
    states.hidden.push_back(View(tensors[i]));
    if (step == 2) states.cell_state.push_back(View(tensors[i + 1]));
  }
  return states;
}

// The rows of each sentence in [batch, source, size], without its padding.
std::vector<Matrix> Sentences(const torch::Tensor& padded, const std::vector<int64_t>& lengths) {
  std::vector<Matrix> sentences;
  for (size_t i = 0; i < lengths.size(); ++i) {
    sentences.push_back(View(padded).Rows(static_cast<int64_t>(i) * padded.size(1), lengths[i]));
  }
  return sentences;
}

std::vector<AttentionMemory> MemoriesOf(const Tensors& tensors, const DecoderCall& call) {
  const std::vector<Matrix> keys = Sentences(tensors.keys, call.source_lengths);
  const std::vector<Matrix> values = Sentences(tensors.values, call.source_lengths);
  std::vector<AttentionMemory> sources;
  for (size_t i = 0; i < keys.size(); ++i) sources.push_back({keys[i], values[i]});
  return sources;
}

DecoderWeights WeightsOf(const Tensors& tensors, const DecoderCall& call) {
  return {View(tensors.embedding),
          AllWeights(call.plan.cell, tensors.cells),
          View(tensors.attentional_state),
          View(tensors.query),
          call.additive ? Values(tensors.energy) : nullptr,
          call.covers ? Values(tensors.coverage) : nullptr};
}

struct DecoderFunction : torch::autograd::Function<DecoderFunction> {
  // The attentional states and, if asked for, the attention weights: [row, …].
  static variable_list forward(AutogradContext* context, const std::shared_ptr<DecoderCall>& call,
                               at::TensorList inputs) {
    const PhaseTimer timer(Phase::kDecoderForward);
    const Tensors tensors(absl::MakeSpan(inputs.data(), inputs.size()), *call);
    const auto start = StatesOf<DecoderStart>(tensors.start, call->plan.cell);
    const torch::Tensor attentional_states =
        EmptyFloats({call->steps->rows(), tensors.attentional_state.size(0)});
    PredictedTokens predicted_tokens;
    PackedMatrix output;
    if (call->predicted != nullptr) {
      output = PackedMatrix::PackTransposed(View(call->output_weight), call->plan.precision);
      predicted_tokens = {absl::MakeConstSpan(call->predicted.get(), call->tokens.size()),
                          call->sample, &output, Values(call->output_bias)};
    }
    call->cache =
        DecoderForward(call->plan, WeightsOf(tensors, *call), start, MemoriesOf(tensors, *call),
                       call->predicted ? &predicted_tokens : nullptr, absl::MakeSpan(call->tokens),
                       View(attentional_states));
    variable_list saved(inputs.begin(), inputs.end());
    saved.push_back(attentional_states);
    context->save_for_backward(saved);
    SaveValue(context, call);
    if (!call->with_attention) return {attentional_states};
    const torch::Tensor attention =
        EmptyFloats({call->steps->rows(), tensors.keys.size(1)}).zero_();
    call->steps->ForEachToken([&](int64_t row, int64_t sentence, int64_t) {
      const int64_t source = call->source_lengths[static_cast<size_t>(sentence)];
      Copy(call->cache.weights.view().Rows(row, 1).Columns(0, source),
           View(attention).Rows(row, 1).Columns(0, source));
    });
    return {attentional_states, attention};
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const PhaseTimer timer(Phase::kDecoderBackward);
    DecoderCall& call = *SavedBy<std::shared_ptr<DecoderCall>>(context);
    TORCH_CHECK(!call.cache.cells.empty(),
                "backward through a fused decoder is possible only once");
    const variable_list saved = context->get_saved_variables();
    const auto inputs = absl::MakeConstSpan(saved).subspan(0, saved.size() - 1);
    const Tensors tensors(inputs, call);
    variable_list gradients = {torch::Tensor(), EmptyLike(tensors.attentional_state),
                               EmptyLike(tensors.keys).zero_(), EmptyLike(tensors.values).zero_()};
    for (size_t i = gradients.size(); i < inputs.size(); ++i) {
      gradients.push_back(EmptyLike(inputs[i]));
    }
    const Tensors results(gradients, call);
    const torch::Tensor embedded = EmptyFloats({call.steps->rows(), tensors.embedding.size(1)});
    const torch::Tensor of_attention =
        call.with_attention && outputs[1].defined() ? outputs[1].contiguous() : torch::Tensor();
    DecoderBackward(call.plan, WeightsOf(tensors, call),
                    StatesOf<DecoderStart>(tensors.start, call.plan.cell),
                    MemoriesOf(tensors, call), View(saved.back()),
                    {View(outputs[0].contiguous()), View(of_attention)}, call.cache,
                    {View(embedded), AllGradients(call.plan.cell, results.cells),
                     View(results.attentional_state), View(results.query),
                     call.additive ? Values(results.energy) : nullptr,
                     call.covers ? Values(results.coverage) : nullptr},
                    StatesOf<DecoderStartGradient>(results.start, call.plan.cell),
                    Sentences(results.keys, call.source_lengths),
                    Sentences(results.values, call.source_lengths));
    call.cache = DecoderCache();
    gradients[0] = EmbeddingGradient(call.tokens, embedded, tensors.embedding.size(0));
    gradients.insert(gradients.begin(), torch::Tensor());
    return gradients;
  }
};

}  // namespace

FusedDecoded FusedDecode(const FusedDecoder& decoder, const torch::Tensor& tokens,
                         const torch::Tensor& lengths, const FusedMemory& memory,
                         const std::vector<CellState>& start, const FusedSampling& sampling,
                         bool with_attention) {
  auto call = std::make_shared<DecoderCall>();
  call->steps = PackSequence(lengths, /*side_by_side=*/1);
  const bool draws = decoder.embedding_dropout > 0 || decoder.dropout > 0 || sampling.sample;
  call->plan = {.cell = decoder.cells[0].kind,
                .precision = CurrentCompute().precision,
                .input_feeding = decoder.input_feeding,
                .conditional = decoder.conditional,
                .embedding_dropout = decoder.embedding_dropout,
                .dropout = decoder.dropout,
                .seed = draws ? DrawSeed() : 0,
                .steps = call->steps.get()};
  call->tokens = OrderTokens(tokens, *call->steps);
  const auto* sources = memory.lengths.data_ptr<int64_t>();
  call->source_lengths.assign(sources, sources + memory.lengths.numel());
  call->layers = start.size();
  call->additive = decoder.energy.defined();
  call->covers = decoder.coverage.defined();
  call->with_attention = with_attention;
  if (sampling.predicted.defined()) {
    const std::vector<int64_t> predicted =
        OrderTokens(sampling.predicted.to(torch::kInt64), *call->steps);
    call->predicted = std::make_unique<bool[]>(predicted.size());
    for (size_t row = 0; row < predicted.size(); ++row) call->predicted[row] = predicted[row] != 0;
    call->sample = sampling.sample;
    call->output_weight = decoder.output_weight.detach();
    call->output_bias = decoder.output_bias.detach();
  }
  variable_list inputs = {decoder.embedding, decoder.attentional, memory.keys.contiguous(),
                          memory.values.contiguous()};
  if (call->additive) inputs.insert(inputs.end(), {decoder.query, decoder.energy});
  if (call->covers) inputs.push_back(decoder.coverage);
  for (const CellState& state : start) {
    inputs.push_back(state.hidden.contiguous());
    if (state.cell_state.defined()) inputs.push_back(state.cell_state.contiguous());
  }
  for (const CellParameters& cell : decoder.cells) AppendTensors(cell, inputs);
  const variable_list rows = DecoderFunction::apply(call, at::TensorList(inputs));
  const auto pad = [&](const torch::Tensor& of) {
    return PadRows(of, call->steps, tokens.size(1));
  };
  return {pad(rows[0]), with_attention ? pad(rows[1]) : torch::Tensor()};
}

}  // namespace seq2seq
