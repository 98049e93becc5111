#include "seq2seq/search/bayes_risk.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include "absl/container/flat_hash_map.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/metrics/sentence_metric.h"

namespace seq2seq {
namespace {

MetricKind MetricOf(BayesMetric metric) {
  switch (metric) {
    case BayesMetric::kNone:
    case BayesMetric::kChrf:
      return MetricKind::kChrf;
    case BayesMetric::kBleu:
      return MetricKind::kBleu;
    case BayesMetric::kCider:
      return MetricKind::kCider;
    case BayesMetric::kWer:
      return MetricKind::kWer;
  }
  return MetricKind::kChrf;  // Not one of the metrics.
}

}  // namespace

BayesRisk::BayesRisk(const SearchOptions& options)
    : metric_(MakeSentenceMetric(MetricOf(options.mbr)).value()), sampled_(options.sample) {}

absl::Status BayesRisk::Rank(std::vector<Candidate>& candidates, const Interrupt& interrupt) const {
  double highest = -INFINITY;
  for (const Candidate& candidate : candidates)
    highest = std::max(highest, candidate.log_probability);
  absl::flat_hash_map<std::string, size_t> numbers;  // Of different texts.
  std::vector<std::string> texts;
  std::vector<double> shares;
  double sum = 0;
  for (const Candidate& candidate : candidates) {
    const auto [found, is_new] = numbers.try_emplace(candidate.text, texts.size());
    if (is_new) {
      texts.push_back(candidate.text);
      shares.push_back(0);
    }
    const double share = sampled_ ? 1 : std::exp(candidate.log_probability - highest);
    shares[found->second] += share;
    sum += share;
  }
  std::vector<double> expected;
  const std::vector<std::vector<std::string>> references = {texts};
  for (const std::string& text : texts) {
    if (interrupt.raised()) return interrupt.error();
    SEQ2SEQ_ASSIGN_OR_RETURN(
        const std::vector<double> scores,
        ScoreSentences(*metric_, std::vector<std::string>(texts.size(), text), references));
    double mean = 0;
    for (size_t i = 0; i < scores.size(); ++i) mean += shares[i] / sum * scores[i];
    expected.push_back(mean);
  }
  for (Candidate& candidate : candidates) candidate.score = expected[numbers.at(candidate.text)];
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  return absl::OkStatus();
}

}  // namespace seq2seq
