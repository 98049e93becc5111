#include "seq2seq/metrics/significance.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include "absl/types/span.h"

namespace seq2seq {
namespace {

// The tail of scores cut off on each side of a 95% interval: one of so many.
constexpr size_t kTail = 40;

void Add(absl::Span<const double> row, std::vector<double>& sum) {
  for (size_t i = 0; i < row.size(); ++i) sum[i] += row[i];
}

// Scores of resamples of the segments of all `systems`, the same segments for each of them:
// [system][sample].
std::vector<std::vector<double>> ScoreResamples(const CorpusMetric& metric,
                                                absl::Span<const SegmentCounts* const> systems,
                                                const Resampling& resampling) {
  const size_t segments = systems.front()->size();
  std::mt19937_64 random(resampling.seed);
  std::vector<size_t> times(segments);  // How often each segment occurs in a resample.
  std::vector<std::vector<double>> scores(systems.size());
  for (int64_t sample = 0; sample < resampling.samples; ++sample) {
    std::fill(times.begin(), times.end(), 0);
    for (size_t i = 0; i < segments; ++i) ++times[random() % segments];
    for (size_t system = 0; system < systems.size(); ++system) {
      const SegmentCounts& counts = *systems[system];
      std::vector<double> sum(counts.width);
      for (size_t i = 0; i < segments; ++i) {
        const absl::Span<const double> row = counts[i];
        const auto factor = static_cast<double>(times[i]);
        for (size_t j = 0; j < row.size(); ++j) sum[j] += factor * row[j];
      }
      scores[system].push_back(metric.Score(sum));
    }
  }
  return scores;
}

double Mean(absl::Span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// The observed difference counts as one sample more, so that no probability is 0 (Morgan 2006).
// Samples that equal it do not count: a system that is compared with itself gets the lowest p.
double ProbabilityOf(double difference, absl::Span<const double> samples) {
  const auto larger = std::count_if(samples.begin(), samples.end(),
                                    [&](double sample) { return sample > difference; });
  return static_cast<double>(larger + 1) / static_cast<double>(samples.size() + 1);
}

double Difference(const CorpusMetric& metric, const std::vector<double>& a,
                  const std::vector<double>& b) {
  return std::abs(metric.Score(a) - metric.Score(b));
}

}  // namespace

ConfidenceInterval BootstrapInterval(const CorpusMetric& metric, const SegmentCounts& counts,
                                     const Resampling& resampling) {
  std::vector<double> scores = ScoreResamples(metric, {&counts}, resampling).front();
  std::sort(scores.begin(), scores.end());
  const size_t lower = scores.size() / kTail;
  const size_t upper = scores.size() - 1 - lower;
  return {.mean = Mean(scores), .half_width = (scores[upper] - scores[lower]) / 2};
}

double PairedBootstrap(const CorpusMetric& metric, const SegmentCounts& baseline,
                       const SegmentCounts& system, const Resampling& resampling) {
  const std::vector<std::vector<double>> scores =
      ScoreResamples(metric, {&baseline, &system}, resampling);
  std::vector<double> differences;
  for (size_t sample = 0; sample < scores[0].size(); ++sample) {
    differences.push_back(std::abs(scores[1][sample] - scores[0][sample]));
  }
  const double mean = Mean(differences);
  for (double& difference : differences) difference -= mean;
  return ProbabilityOf(Difference(metric, baseline.Sum(), system.Sum()), differences);
}

double ApproximateRandomization(const CorpusMetric& metric, const SegmentCounts& baseline,
                                const SegmentCounts& system, const Resampling& resampling) {
  constexpr size_t kBits = 64;
  std::mt19937_64 random(resampling.seed);
  std::vector<double> differences;
  for (int64_t sample = 0; sample < resampling.samples; ++sample) {
    std::vector<double> a(baseline.width);
    std::vector<double> b(baseline.width);
    uint64_t bits = 0;
    for (size_t i = 0; i < baseline.size(); ++i, bits >>= 1) {
      if (i % kBits == 0) bits = random();
      const bool exchanged = (bits & 1) != 0;
      Add(baseline[i], exchanged ? b : a);
      Add(system[i], exchanged ? a : b);
    }
    differences.push_back(Difference(metric, a, b));
  }
  return ProbabilityOf(Difference(metric, baseline.Sum(), system.Sum()), differences);
}

}  // namespace seq2seq
