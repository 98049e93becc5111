#include "seq2seq/train/sequence_objective.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <set>

#include <torch/torch.h>

#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

// The targets of `references` replaced by outputs, equally many for each source.
Batch WithTargets(const Batch& references, const std::vector<std::vector<ModelOutput>>& outputs,
                  int64_t per_source) {
  std::vector<Example> examples;
  for (const std::vector<ModelOutput>& of_source : outputs) {
    for (int64_t i = 0; i < per_source; ++i)
      examples.push_back({{}, of_source[static_cast<size_t>(i)].tokens});
  }
  Batch batch = Collate(examples);
  batch.source = references.source;
  batch.source_lengths = references.source_lengths;
  batch.values = references.values;
  batch.targets_per_source = per_source;
  return batch;
}

}  // namespace

std::vector<double> RiskWeights(absl::Span<const ModelOutput> samples,
                                absl::Span<const double> rewards, double sharpness) {
  std::set<std::vector<int32_t>> seen;
  double highest = -std::numeric_limits<double>::infinity();
  for (const ModelOutput& sample : samples) highest = std::max(highest, sample.log_probability);
  std::vector<double> shares;
  double sum = 0;
  for (const ModelOutput& sample : samples) {
    const bool is_new = seen.insert(sample.tokens).second;
    shares.push_back(is_new ? std::exp(sharpness * (sample.log_probability - highest)) : 0);
    sum += shares.back();
  }
  double mean = 0;
  for (size_t i = 0; i < shares.size(); ++i) mean += (shares[i] /= sum) * rewards[i];
  std::vector<double> weights;
  for (size_t i = 0; i < shares.size(); ++i) weights.push_back(shares[i] * (rewards[i] - mean));
  return weights;
}

std::vector<double> SelfCriticalWeights(absl::Span<const double> rewards, RewardBaseline baseline,
                                        double greedy) {
  const auto count = static_cast<double>(rewards.size());
  const double sum = std::accumulate(rewards.begin(), rewards.end(), 0.0);
  std::vector<double> weights;
  for (const double reward : rewards) {
    const double others = (sum - reward) / (count - 1);
    weights.push_back((reward - (baseline == RewardBaseline::kGreedy ? greedy : others)) / count);
  }
  return weights;
}

absl::StatusOr<SequenceObjective::Result> SequenceObjective::Sample(Model model,
                                                                    const Batch& references,
                                                                    uint64_t seed) const {
  const bool greedy =
      objective_ == Objective::kSelfCritical && options_.baseline == RewardBaseline::kGreedy;
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto outputs,
                           sampler_(std::move(model), references,
                                    {options_.samples, options_.temperature, greedy, seed}));
  std::vector<std::vector<std::vector<int32_t>>> tokens;
  for (const std::vector<ModelOutput>& of_source : outputs) {
    auto& of_outputs = tokens.emplace_back();
    for (const ModelOutput& output : of_source) of_outputs.push_back(output.tokens);
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const auto rewards, reward_.Score(references, tokens));

  Result result;
  const auto count = static_cast<size_t>(options_.samples);
  const auto* const lengths = references.target_lengths.data_ptr<int64_t>();
  std::vector<float> factors;
  for (size_t source = 0; source < outputs.size(); ++source) {
    const auto of_samples = absl::MakeConstSpan(rewards[source]).first(count);
    const std::vector<double> weights =
        objective_ == Objective::kRisk
            ? RiskWeights(absl::MakeConstSpan(outputs[source]).first(count), of_samples,
                          options_.sharpness)
            : SelfCriticalWeights(of_samples, options_.baseline, rewards[source].back());
    for (size_t i = 0; i < count; ++i) {
      factors.push_back(static_cast<float>((1 - options_.likelihood) * weights[i] *
                                           static_cast<double>(lengths[source])));
      result.reward += of_samples[i];
    }
  }
  result.samples = static_cast<int64_t>(factors.size());
  result.batches.push_back(WithTargets(references, outputs, options_.samples));
  result.batches.back().target_weights = torch::tensor(factors);
  if (options_.likelihood > 0) {
    result.batches.push_back(references);
    result.batches.back().target_weights =
        torch::full({references.size()}, options_.likelihood, torch::kFloat32);
  }
  return result;
}

}  // namespace seq2seq
