#include "seq2seq/search/error_rate_training.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/random.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

using Weights = std::vector<double>;

double Product(const Weights& a, const Weights& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// The score of an entry on a line of weights, `constant` + x `slope`.
struct EntryLine {
  double constant;
  double slope;
  size_t entry;
};

// From `x` on, `entry` is the best of its list.
struct Change {
  double x;
  size_t list;
  size_t entry;
};

// The upper envelope of lines, from left to right: where each becomes the highest.
std::vector<Change> UpperEnvelope(std::vector<EntryLine> lines, size_t list) {
  std::sort(lines.begin(), lines.end(), [](const EntryLine& a, const EntryLine& b) {
    if (a.slope != b.slope) return a.slope < b.slope;
    return a.constant != b.constant ? a.constant > b.constant : a.entry < b.entry;
  });
  std::vector<EntryLine> kept;
  std::vector<Change> changes;
  for (const EntryLine& line : lines) {
    if (!kept.empty() && kept.back().slope == line.slope) continue;
    double x = -INFINITY;
    while (!kept.empty()) {
      x = (kept.back().constant - line.constant) / (line.slope - kept.back().slope);
      if (x > changes.back().x) break;
      kept.pop_back();
      changes.pop_back();
      x = -INFINITY;
    }
    kept.push_back(line);
    changes.push_back({x, list, line.entry});
  }
  return changes;
}

class ErrorRateTrainer {
 public:
  static absl::StatusOr<ErrorRateTrainer> Make(
      const NBestLists& lists, const CorpusMetric& metric,
      const std::vector<std::vector<std::string>>& references) {
    for (const std::vector<std::string>& reference : references) {
      if (reference.size() != lists.lists.size()) {
        return absl::InvalidArgumentError(absl::StrCat(lists.lists.size(), " n-best lists, but ",
                                                       reference.size(), " references"));
      }
    }
    ErrorRateTrainer trainer(lists, metric);
    std::vector<std::string> texts;
    std::vector<std::vector<std::string>> of_texts(references.size());
    for (size_t list = 0; list < lists.lists.size(); ++list) {
      trainer.begins_.push_back(texts.size());
      for (const NBestEntry& entry : lists.lists[list].entries) {
        texts.push_back(entry.text);
        for (size_t r = 0; r < references.size(); ++r) of_texts[r].push_back(references[r][list]);
      }
    }
    SEQ2SEQ_ASSIGN_OR_RETURN(SegmentCounts counts, metric.Count(texts, of_texts));
    trainer.counts_ = std::move(counts);
    return trainer;
  }

  // The metric of the entries that are best with `weights`.
  double Score(const Weights& weights) const {
    std::vector<double> sum(counts_.width);
    for (size_t list = 0; list < begins_.size(); ++list) {
      const std::vector<NBestEntry>& entries = lists_.lists[list].entries;
      size_t best = 0;
      double highest = -INFINITY;
      for (size_t i = 0; i < entries.size(); ++i) {
        const double score = Product(weights, entries[i].features);
        if (score > highest) best = i;
        highest = std::max(highest, score);
      }
      Add(list, best, 1, sum);
    }
    return Goodness(sum);
  }

  // Climbs from `weights` until no direction improves the metric.
  Weights Climb(Weights weights, uint64_t seed) const {
    double best = Score(weights);
    const size_t features = weights.size();
    for (uint64_t round = 0;; ++round) {
      const double before = best;
      for (size_t i = 0; i < 2 * features; ++i) {
        Weights direction(features, 0.0);
        if (i < features) direction[i] = 1;
        for (size_t f = 0; f < features && i >= features; ++f)
          direction[f] = Uniform({seed, round, i, f});
        const auto [x, score] = BestOnLine(weights, direction);
        if (score <= best + kLeastGain) continue;
        best = score;
        for (size_t f = 0; f < features; ++f) weights[f] += x * direction[f];
      }
      if (best <= before + kLeastGain) return Normalized(std::move(weights));
    }
  }

  // In [-1, 1].
  static double Uniform(std::initializer_list<uint64_t> parts) {
    return std::ldexp(static_cast<double>(DeriveSeed(parts) >> 11), -52) - 1;
  }

  static Weights Normalized(Weights weights) {
    double sum = 0;
    for (const double weight : weights) sum += std::abs(weight);
    for (double& weight : weights) weight /= sum > 0 ? sum : 1;
    return weights;
  }

 private:
  static constexpr double kLeastGain = 1e-9;
  static constexpr double kFarthest = 1e9;

  ErrorRateTrainer(const NBestLists& lists, const CorpusMetric& metric)
      : lists_(lists), metric_(metric) {}

  double Goodness(const std::vector<double>& sum) const {
    return (metric_.LowerIsBetter() ? -1 : 1) * metric_.Score(sum);
  }

  void Add(size_t list, size_t entry, double times, std::vector<double>& sum) const {
    const auto row = counts_[begins_[list] + entry];
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += times * row[i];
  }

  // The place on the line weights + x direction where the metric is best, and the metric there.
  std::pair<double, double> BestOnLine(const Weights& weights, const Weights& direction) const {
    std::vector<Change> changes;
    std::vector<double> sum(counts_.width);
    std::vector<size_t> current(begins_.size());
    for (size_t list = 0; list < begins_.size(); ++list) {
      std::vector<EntryLine> lines;
      const std::vector<NBestEntry>& entries = lists_.lists[list].entries;
      for (size_t i = 0; i < entries.size(); ++i) {
        lines.push_back(
            {Product(weights, entries[i].features), Product(direction, entries[i].features), i});
      }
      const std::vector<Change> of_list = UpperEnvelope(std::move(lines), list);
      current[list] = of_list[0].entry;
      Add(list, current[list], 1, sum);
      changes.insert(changes.end(), of_list.begin() + 1, of_list.end());
    }
    if (changes.empty()) return {0, Goodness(sum)};
    std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
      return a.x != b.x ? a.x < b.x : a.list < b.list;
    });
    double x = std::max(changes.front().x - 1, -kFarthest), best = Goodness(sum);
    for (size_t i = 0; i < changes.size(); ++i) {
      const Change& change = changes[i];
      Add(change.list, current[change.list], -1, sum);
      current[change.list] = change.entry;
      Add(change.list, change.entry, 1, sum);
      const bool last = i + 1 == changes.size();
      if (!last && changes[i + 1].x == change.x) continue;
      if (std::abs(change.x) > kFarthest) continue;  // Lines that are nearly parallel.
      const double score = Goodness(sum);
      if (score <= best + kLeastGain) continue;
      best = score;
      x = last ? change.x + 1 : (change.x + std::min(changes[i + 1].x, kFarthest)) / 2;
    }
    return {x, best};
  }

  const NBestLists& lists_;
  const CorpusMetric& metric_;
  std::vector<size_t> begins_;  // Of each list in counts_.
  SegmentCounts counts_{1, 1};
};

}  // namespace

absl::StatusOr<TrainedWeights> TrainWeights(const NBestLists& lists, const CorpusMetric& metric,
                                            const std::vector<std::vector<std::string>>& references,
                                            const std::vector<double>& initial, int64_t restarts,
                                            uint64_t seed) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const ErrorRateTrainer trainer,
                           ErrorRateTrainer::Make(lists, metric, references));
  const double sign = metric.LowerIsBetter() ? -1 : 1;
  TrainedWeights best = {ErrorRateTrainer::Normalized(initial), sign * trainer.Score(initial), 0};
  double best_score = sign * best.before;
  for (int64_t restart = 0; restart <= restarts; ++restart) {
    const auto number = static_cast<uint64_t>(restart);
    Weights start = initial;
    for (size_t f = 0; f < start.size() && restart > 0; ++f)
      start[f] = ErrorRateTrainer::Uniform({seed, number, f});
    Weights found = trainer.Climb(std::move(start), DeriveSeed({seed, number}));
    const double score = trainer.Score(found);
    if (score <= best_score) continue;
    best_score = score;
    best.weights = std::move(found);
  }
  best.after = sign * best_score;
  return best;
}

}  // namespace seq2seq
