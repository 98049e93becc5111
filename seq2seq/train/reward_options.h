// Options of training on the model's own outputs by a metric.
#ifndef SEQ2SEQ_TRAIN_REWARD_OPTIONS_H_
#define SEQ2SEQ_TRAIN_REWARD_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "seq2seq/metrics/corpus_metric.h"

namespace seq2seq {

// What the reward of a sample is compared with in self-critical training: the reward of the greedy
// output (Rennie et al. 2017), or the mean of those of the other samples.
enum class RewardBaseline { kGreedy, kMean };

inline std::vector<std::string> EnumTexts(RewardBaseline) { return {"greedy", "mean"}; }

struct RewardOptions {
  MetricKind metric = MetricKind::kBleu;
  int64_t samples = 8;
  double temperature = 1;
  double sharpness = 0.005;
  RewardBaseline baseline = RewardBaseline::kGreedy;
  double likelihood = 0;

  template <typename V>
  void Visit(V&& visit) {
    visit("metric", metric,
          "Metric of a single sentence that rewards its outputs: bleu (smoothed), chrf, cider for "
          "captions, wer, per, accuracy, …; with train.metric_options. All but f1.");
    visit("samples", samples,
          "Outputs that are sampled for each source, 2 to 1,000. Time grows with them; 5 for "
          "captions, 8 to 100 for translation.");
    visit("temperature", temperature, "Temperature of sampling, more than 0.");
    visit("sharpness", sharpness,
          "risk: exponent of the probabilities of the samples before they are normalised, more "
          "than 0 (Shen et al. 2016). Small values compare all samples, 1 the most probable ones.");
    visit("baseline", baseline,
          "self_critical: what a sample must beat. greedy: the reward of the greedy output, which "
          "costs decoding it; mean: the mean of the other samples.");
    visit("likelihood", likelihood,
          "Share of the cross-entropy of the references in the objective, 0 to 1; 0.1 to 0.5 where "
          "outputs become unnatural.");
  }
};

// InvalidArgument, naming the key and its value, if an option is out of range.
absl::Status Validate(const RewardOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_REWARD_OPTIONS_H_
