#include "seq2seq/model/fused_decoder.h"

#include <memory>
#include <utility>

#include "seq2seq/base/profile.h"
#include "seq2seq/kernels/decoder.h"
#include "seq2seq/kernels/parallel.h"
#include "seq2seq/model/compute.h"
#include "seq2seq/model/fused.h"
#include "seq2seq/model/fused_rows.h"

namespace seq2seq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A call of the decoder kernel, without its tensors.
struct Job {
  DecoderPlan plan;
  std::shared_ptr<const Steps> steps;  // What `plan` points to.
  std::vector<int64_t> tokens;         // [row]; after the forward pass, the tokens that were fed.
  std::vector<int64_t> source_lengths;
  size_t layers = 0;

  // For scheduled sampling.
  std::unique_ptr<bool[]> own;  // [row], or null.
  bool sample = false;
  torch::Tensor output_weight;
  torch::Tensor output_bias;

  DecoderTape tape;
};

// The tensors of a call: embedding, readout, keys, values, then the initial hidden (and cell) state
// of each layer, then the parameters of each layer's cell.
struct Tensors {
  Tensors(absl::Span<const torch::Tensor> all, const Job& job)
      : embedding(all[0]), readout(all[1]), keys(all[2]), values(all[3]) {
    const size_t states = job.layers * (HasCellState(job.plan.cell) ? 2 : 1);
    start = all.subspan(4, states);
    cells = all.subspan(4 + states, job.layers * CountTensors(job.plan.cell));
  }

  torch::Tensor embedding, readout, keys, values;
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
    if (step == 2) states.memory.push_back(View(tensors[i + 1]));
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

std::vector<Source> SourcesOf(const Tensors& tensors, const Job& job) {
  const std::vector<Matrix> keys = Sentences(tensors.keys, job.source_lengths);
  const std::vector<Matrix> values = Sentences(tensors.values, job.source_lengths);
  std::vector<Source> sources;
  for (size_t i = 0; i < keys.size(); ++i) sources.push_back({keys[i], values[i]});
  return sources;
}

DecoderWeights WeightsOf(const Tensors& tensors, const Job& job) {
  return {View(tensors.embedding), AllWeights(job.plan.cell, tensors.cells), View(tensors.readout)};
}

struct DecoderFunction : torch::autograd::Function<DecoderFunction> {
  static torch::Tensor forward(AutogradContext* context, const std::shared_ptr<Job>& job,
                               at::TensorList inputs) {
    const PhaseTimer timer(Phase::kDecoderForward);
    const Tensors tensors(absl::MakeSpan(inputs.data(), inputs.size()), *job);
    const auto start = StatesOf<DecoderStart>(tensors.start, job->plan.cell);
    const torch::Tensor readouts = EmptyFloats({job->steps->rows(), tensors.readout.size(0)});
    OwnTokens own_tokens;
    PackedMatrix output;
    if (job->own != nullptr) {
      output = PackedMatrix::PackTransposed(View(job->output_weight), job->plan.precision);
      own_tokens = {absl::MakeConstSpan(job->own.get(), job->tokens.size()), job->sample, &output,
                    Values(job->output_bias)};
    }
    job->tape = DecoderForward(job->plan, WeightsOf(tensors, *job), start, SourcesOf(tensors, *job),
                               job->own ? &own_tokens : nullptr, absl::MakeSpan(job->tokens),
                               View(readouts));
    variable_list saved(inputs.begin(), inputs.end());
    saved.push_back(readouts);
    context->save_for_backward(saved);
    Keep(context, job);
    return readouts;
  }

  static variable_list backward(AutogradContext* context, variable_list outputs) {
    const PhaseTimer timer(Phase::kDecoderBackward);
    Job& job = *KeptBy<std::shared_ptr<Job>>(context);
    TORCH_CHECK(!job.tape.layers.empty(), "backward through a fused decoder is possible only once");
    const variable_list saved = context->get_saved_variables();
    const auto inputs = absl::MakeConstSpan(saved).subspan(0, saved.size() - 1);
    const Tensors tensors(inputs, job);
    variable_list gradients = {torch::Tensor(), EmptyLike(tensors.readout),
                               EmptyLike(tensors.keys).zero_(), EmptyLike(tensors.values).zero_()};
    for (size_t i = gradients.size(); i < inputs.size(); ++i) {
      gradients.push_back(EmptyLike(inputs[i]));
    }
    const Tensors results(gradients, job);
    const torch::Tensor embedded = EmptyFloats({job.steps->rows(), tensors.embedding.size(1)});
    DecoderBackward(
        job.plan, WeightsOf(tensors, job), StatesOf<DecoderStart>(tensors.start, job.plan.cell),
        SourcesOf(tensors, job), View(saved.back()), View(outputs[0].contiguous()), job.tape,
        {View(embedded), AllGradients(job.plan.cell, results.cells), View(results.readout)},
        StatesOf<DecoderStartGradient>(results.start, job.plan.cell),
        Sentences(results.keys, job.source_lengths), Sentences(results.values, job.source_lengths));
    job.tape = DecoderTape();
    gradients[0] = EmbeddingGradient(job.tokens, embedded, tensors.embedding.size(0));
    gradients.insert(gradients.begin(), torch::Tensor());
    return gradients;
  }
};

}  // namespace

torch::Tensor FusedDecode(const FusedDecoder& decoder, const torch::Tensor& tokens,
                          const torch::Tensor& lengths, const Memory& memory,
                          const std::vector<CellState>& start, const FusedSampling& sampling) {
  auto job = std::make_shared<Job>();
  job->steps = MakeSteps(lengths, /*side_by_side=*/1);
  const bool draws = decoder.embedding_dropout > 0 || decoder.dropout > 0 || sampling.sample;
  job->plan = {.cell = decoder.cells[0]->kind(),
               .precision = CurrentCompute().precision,
               .input_feeding = decoder.input_feeding,
               .embedding_dropout = decoder.embedding_dropout,
               .dropout = decoder.dropout,
               .seed = draws ? DrawSeed() : 0,
               .steps = job->steps.get()};
  job->tokens = OrderTokens(tokens, *job->steps);
  const torch::Tensor sources = memory.bias.eq(0).sum({1, 2});  // [batch]
  job->source_lengths.assign(sources.data_ptr<int64_t>(),
                             sources.data_ptr<int64_t>() + sources.numel());
  job->layers = decoder.cells.size();
  if (sampling.own.defined()) {
    const std::vector<int64_t> own = OrderTokens(sampling.own.to(torch::kInt64), *job->steps);
    job->own = std::make_unique<bool[]>(own.size());
    for (size_t row = 0; row < own.size(); ++row) job->own[row] = own[row] != 0;
    job->sample = sampling.sample;
    job->output_weight = decoder.output_weight.detach();
    job->output_bias = decoder.output_bias.detach();
  }
  variable_list inputs = {decoder.embedding, decoder.readout, memory.keys.contiguous(),
                          memory.values.contiguous()};
  for (const CellState& state : start) {
    inputs.push_back(state.hidden.contiguous());
    if (state.memory.defined()) inputs.push_back(state.memory.contiguous());
  }
  for (const Cell& cell : decoder.cells) {
    const variable_list tensors = TensorsOf(*cell);
    inputs.insert(inputs.end(), tensors.begin(), tensors.end());
  }
  const torch::Tensor rows = DecoderFunction::apply(job, at::TensorList(inputs));
  return PadRows(rows, job->steps, tokens.size(1));
}

}  // namespace seq2seq
