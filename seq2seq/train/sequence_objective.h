// Training on the model's own outputs: minimum risk (Shen et al. 2016) and self-critical training
// (Rennie et al. 2017).
#ifndef SEQ2SEQ_TRAIN_SEQUENCE_OBJECTIVE_H_
#define SEQ2SEQ_TRAIN_SEQUENCE_OBJECTIVE_H_

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/data/batch.h"
#include "seq2seq/data/objective.h"
#include "seq2seq/model/model.h"
#include "seq2seq/train/reward.h"
#include "seq2seq/train/reward_options.h"

namespace seq2seq {

// An output of a model, without end of sentence.
struct ModelOutput {
  std::vector<int32_t> tokens;
  double log_probability = 0;
};

// What is to be sampled for each source of a batch.
struct SamplingRequest {
  int64_t count = 1;
  double temperature = 1;
  bool greedy = false;  // Whether the greedy output comes last.
  uint64_t seed = 0;
};

// Decodes the sources of a batch with a model in eval mode: outputs[source].
using OutputSampler = std::function<absl::StatusOr<std::vector<std::vector<ModelOutput>>>(
    Model model, const Batch& batch, const SamplingRequest& request)>;

// The factors on the negative log-likelihood of samples of one source whose gradient is that of the
// risk, divided by `sharpness`, which would else scale it: of minus the mean of `rewards` under the
// distribution over the distinct samples that is proportional to their probability to the power of
// `sharpness`. A repeated sample has the factor 0.
std::vector<double> RiskWeights(absl::Span<const ModelOutput> samples,
                                absl::Span<const double> rewards, double sharpness);

// The same for minus the expected reward, by REINFORCE (Williams 1992): the mean over the samples
// of how much their rewards exceed a baseline, which is `greedy`, or the mean of the others.
std::vector<double> SelfCriticalWeights(absl::Span<const double> rewards, RewardBaseline baseline,
                                        double greedy);

// Makes batches of outputs from batches of references. Thread-safe.
class SequenceObjective {
 public:
  // `objective` is risk or self_critical.
  SequenceObjective(Objective objective, const RewardOptions& options, Reward reward,
                    OutputSampler sampler)
      : objective_(objective),
        options_(options),
        reward_(std::move(reward)),
        sampler_(std::move(sampler)) {}

  struct Result {
    // Of outputs, and of the references if they count: target_weights are set. A source counts with
    // the number of tokens of its reference, so that the loss per token is a mean over them.
    std::vector<Batch> batches;
    double reward = 0;  // Sum over the samples.
    int64_t samples = 0;
  };

  // For a batch of references on the CPU. `model` is in eval mode.
  absl::StatusOr<Result> Sample(Model model, const Batch& references, uint64_t seed) const;

 private:
  const Objective objective_;
  const RewardOptions options_;
  const Reward reward_;
  const OutputSampler sampler_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_SEQUENCE_OBJECTIVE_H_
