#include "seq2seq/train/reward.h"

#include <algorithm>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include <torch/torch.h>

#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/metrics/sentence_metric.h"
#include "seq2seq/train/reward_options.h"

namespace seq2seq {

absl::Status Validate(const RewardOptions& options) {
  OptionRules rules;
  rules.Expect("train.reward.metric", "f1", options.metric != MetricKind::kF1,
               "a metric that a single sentence has");
  rules.Expect("train.reward.samples", options.samples,
               options.samples >= 2 && options.samples <= 1000, "2 to 1,000");
  rules.Expect("train.reward.temperature", options.temperature,
               options.temperature > 0 && options.temperature <= 100, "more than 0, at most 100");
  rules.Expect("train.reward.sharpness", options.sharpness,
               options.sharpness > 0 && options.sharpness <= 100, "more than 0, at most 100");
  rules.Expect("train.reward.likelihood", options.likelihood,
               options.likelihood >= 0 && options.likelihood <= 1, "0 to 1");
  return rules.status();
}

absl::StatusOr<Reward> Reward::Make(MetricKind metric, MetricOptions options,
                                    const CorpusMix& corpus, const Tokenizer& target, bool images) {
  options.subwords = [target](const std::string& line) {
    return absl::StrJoin(target.Subwords(target.Encode(line)), " ");
  };
  std::vector<std::vector<std::string>> documents;  // [reference][source]
  absl::flat_hash_map<int64_t, std::vector<std::string>> captions;
  if (images || metric == MetricKind::kCider) {
    for (int64_t pair = 0; pair < corpus.size(); ++pair) {
      const int64_t source = images ? corpus[pair].source[0] : pair;
      captions[source].push_back(target.Decode(corpus[pair].target));
    }
  }
  if (metric == MetricKind::kCider) {
    size_t most = 0;
    for (const auto& [source, texts] : captions) most = std::max(most, texts.size());
    documents.resize(most);
    for (const auto& [source, texts] : captions) {
      for (size_t r = 0; r < most; ++r) documents[r].push_back(r < texts.size() ? texts[r] : "");
    }
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(auto made, MakeSentenceMetric(metric, options, documents));
  Reward reward(std::move(made), target);
  if (images) reward.captions_ = std::move(captions);
  return reward;
}

std::vector<std::string> Reward::ReferencesOf(const Batch& batch, int64_t row) const {
  if (!captions_.empty()) {
    const auto found = captions_.find(batch.source.data_ptr<int64_t>()[row * batch.source.size(1)]);
    if (found != captions_.end()) return found->second;
  }
  const auto* const ids =
      batch.target_output.data_ptr<int64_t>() + row * batch.target_output.size(1);
  const int64_t length = batch.target_lengths.data_ptr<int64_t>()[row] - 1;
  return {target_.Decode(std::vector<int32_t>(ids, ids + length))};
}

absl::StatusOr<std::vector<std::vector<double>>> Reward::Score(
    const Batch& batch, const std::vector<std::vector<std::vector<int32_t>>>& outputs) const {
  std::vector<std::string> hypotheses;
  std::vector<std::vector<std::string>> of_hypothesis;
  size_t most = 0;
  for (size_t source = 0; source < outputs.size(); ++source) {
    const std::vector<std::string> references = ReferencesOf(batch, static_cast<int64_t>(source));
    most = std::max(most, references.size());
    for (const std::vector<int32_t>& output : outputs[source]) {
      hypotheses.push_back(target_.Decode(output));
      of_hypothesis.push_back(references);
    }
  }
  std::vector<std::vector<std::string>> references(most);
  for (const std::vector<std::string>& texts : of_hypothesis) {
    for (size_t r = 0; r < most; ++r) references[r].push_back(r < texts.size() ? texts[r] : "");
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::vector<double> scores,
                           ScoreSentences(*metric_, hypotheses, references));
  std::vector<std::vector<double>> rewards;
  auto next = scores.begin();
  for (const auto& of_source : outputs) {
    const auto end = next + static_cast<std::ptrdiff_t>(of_source.size());
    rewards.emplace_back(next, end);
    next = end;
  }
  return rewards;
}

}  // namespace seq2seq
