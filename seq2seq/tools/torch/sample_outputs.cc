#include "seq2seq/tools/torch/sample_outputs.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

#include <torch/torch.h>

#include "seq2seq/base/describe_error.h"
#include "seq2seq/model/scoring_model.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/search/batch_shortlist.h"
#include "seq2seq/search/beam.h"
#include "seq2seq/search/sample.h"
#include "seq2seq/search/scorer.h"
#include "seq2seq/source/source.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {
namespace {

// Outputs that are sampled at once, and their scores in a time step, 4 bytes each.
constexpr int64_t kMostRows = 2048;
constexpr int64_t kMostScores = 32'000'000;

// The sources of a batch on the CPU as search reads them.
std::vector<SourceInput> SourcesOf(const Batch& batch) {
  std::vector<SourceInput> sources(static_cast<size_t>(batch.size()));
  for (int64_t row = 0; row < batch.size(); ++row) {
    SourceInput& source = sources[static_cast<size_t>(row)];
    if (!batch.values.defined()) {
      const auto* const ids = batch.source.data_ptr<int64_t>() + row * batch.source.size(1);
      const int64_t length = batch.source_lengths.data_ptr<int64_t>()[row] - 1;
      source.ids.assign(ids, ids + length);
      continue;
    }
    const torch::Tensor values = batch.values[row].to(torch::kFloat32).contiguous();
    source.values = Array::Empty(ArrayType::kFloat32, values.sizes().vec());
    std::copy_n(values.data_ptr<float>(), values.numel(), source.values.values<float>());
  }
  return sources;
}

}  // namespace

absl::StatusOr<std::vector<std::vector<ModelOutput>>> SampleOutputs(Model model, const Batch& batch,
                                                                    const SamplingRequest& request,
                                                                    const SearchOptions& options) {
  SearchOptions sampling;
  sampling.sample = true;
  sampling.n_best = request.count;
  sampling.temperature = request.temperature;
  sampling.seed = static_cast<int64_t>(request.seed >> 1);
  SearchOptions greedy;
  greedy.beam = 1;
  const std::vector<SourceInput> sources = SourcesOf(batch);
  std::vector<const SourceInput*> inputs;
  std::vector<SearchTask> tasks;
  for (const SourceInput& source : sources) {
    inputs.push_back(&source);
    SearchTask& task = tasks.emplace_back();
    const auto length = static_cast<int64_t>(source.ids.size());
    task.max_length = length > 0 ? MaxLength(length, options) : options.max_length;
    task.seed = tasks.size();
  }
  try {
    const torch::Device device = model->decoder()->parameters()[0].device();
    const std::shared_ptr<const ScoringModel> scoring =
        MakeScoringModel(model, device, CurrentCompute().precision);
    std::vector<std::vector<ModelOutput>> outputs(sources.size());
    const int64_t vocab = model->options().target_vocab;
    const int64_t rows = std::min(kMostRows, std::max<int64_t>(kMostScores / vocab, 1));
    const auto part = static_cast<size_t>(std::max<int64_t>(rows / request.count, 1));
    for (size_t begin = 0; begin < sources.size(); begin += part) {
      const auto some = absl::MakeConstSpan(inputs).subspan(begin, part);
      const auto of_some = absl::MakeConstSpan(tasks).subspan(begin, part);
      const auto add = [&](const std::vector<std::vector<Hypothesis>>& found) {
        for (size_t i = 0; i < found.size(); ++i) {
          for (const Hypothesis& hypothesis : found[i])
            outputs[begin + i].push_back({hypothesis.tokens, hypothesis.log_probability});
        }
      };
      add(Sample(*scoring->Begin(some, {}), of_some, sampling));
      if (request.greedy) add(BeamSearch(*scoring->Begin(some, {}), of_some, greedy));
    }
    return outputs;
  } catch (const std::exception& error) {  // Such as out of memory.
    return ToStatus(error, "cannot sample outputs");
  }
}

}  // namespace seq2seq
