#include "seq2seq/tune/parzen.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace seq2seq {
namespace {

constexpr size_t kStart = 10;       // Points at random.
constexpr size_t kMostGood = 25;    // Observations of the first density.
constexpr size_t kCandidates = 24;  // Drawn from it for each parameter.

double NormalCdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

// Density of one parameter, from values of it in the order in which they were observed.
class Density {
 public:
  virtual ~Density() = default;
  virtual double Draw(RandomStream& random) const = 0;
  virtual double LogDensity(double value) const = 0;
};

// Weights of the kernels of values in their order, and of that of the range, the last, all with the
// sum 1: values older than the last 25 fade out.
std::vector<double> KernelWeights(size_t values) {
  constexpr size_t kFresh = 25;
  std::vector<double> weights(values, 1.0);
  if (values > kFresh) {
    const size_t old = values - kFresh;
    const double first = 1.0 / static_cast<double>(values);
    for (size_t i = 0; i < old; ++i) {
      const double place = old > 1 ? static_cast<double>(i) / static_cast<double>(old - 1) : 0;
      weights[i] = first + place * (1 - first);
    }
  }
  weights.push_back(1);
  double sum = 0;
  for (const double weight : weights) sum += weight;
  for (double& weight : weights) weight /= sum;
  return weights;
}

size_t DrawIndex(const std::vector<double>& weights, RandomStream& random) {
  double left = random.Uniform();
  for (size_t i = 0; i + 1 < weights.size(); ++i) {
    left -= weights[i];
    if (left < 0) return i;
  }
  return weights.size() - 1;
}

// Normal kernels, truncated to the unit interval, as wide as the gap to the next value.
class NumericDensity : public Density {
 public:
  NumericDensity(const SearchSpace& space, size_t index, const std::vector<double>& values)
      : space_(space), index_(index), weights_(KernelWeights(values.size())) {
    for (const double value : values) {
      const auto [begin, end] = space.UnitRange(index, value);
      kernels_.push_back({(begin + end) / 2, 1});
    }
    kernels_.push_back({0.5, 1});  // Of the range.
    SetWidths();
  }

  double Draw(RandomStream& random) const override {
    const Kernel& kernel = kernels_[DrawIndex(weights_, random)];
    while (true) {  // The kernel's mean is in the interval: half of the draws are, at least.
      const double unit = kernel.mean + kernel.width * random.Normal();
      if (unit >= 0 && unit <= 1) return space_.FromUnit(index_, unit);
    }
  }

  double LogDensity(double value) const override {
    const auto [begin, end] = space_.UnitRange(index_, value);
    double density = 0;
    for (size_t i = 0; i < kernels_.size(); ++i) {
      const auto& [mean, width] = kernels_[i];
      const double inside = NormalCdf((1 - mean) / width) - NormalCdf(-mean / width);
      const double part =
          begin < end
              ? NormalCdf((end - mean) / width) - NormalCdf((begin - mean) / width)
              : std::exp(-0.5 * std::pow((begin - mean) / width, 2)) / (width * kRootOfTwoPi);
      density += weights_[i] * part / inside;
    }
    return std::log(std::max(density, 1e-300));
  }

 private:
  struct Kernel {
    double mean;
    double width;
  };
  static constexpr double kRootOfTwoPi = 2.5066282746310002;

  void SetWidths() {
    std::vector<size_t> order(kernels_.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return kernels_[a].mean < kernels_[b].mean; });
    const double narrowest = 1 / static_cast<double>(std::min<size_t>(100, kernels_.size()));
    for (size_t i = 0; i < order.size(); ++i) {
      if (order[i] + 1 == kernels_.size()) continue;  // That of the range stays as wide as it.
      const double mean = kernels_[order[i]].mean;
      double gap = 0;
      if (i > 0) gap = mean - kernels_[order[i - 1]].mean;
      if (i + 1 < order.size()) gap = std::max(gap, kernels_[order[i + 1]].mean - mean);
      kernels_[order[i]].width = std::clamp(gap, narrowest, 1.0);
    }
  }

  const SearchSpace& space_;
  const size_t index_;
  const std::vector<double> weights_;
  std::vector<Kernel> kernels_;
};

// Each observed value, and all values alike.
class CategoricalDensity : public Density {
 public:
  CategoricalDensity(size_t choices, const std::vector<double>& values) {
    const std::vector<double> weights = KernelWeights(values.size());
    // Every kernel leaves some probability to the values that it has not.
    const double share = 1 / static_cast<double>(weights.size());
    const auto all = static_cast<double>(choices);
    probabilities_.assign(choices, weights.back() / all);
    for (size_t i = 0; i < values.size(); ++i) {
      const double sum = 1 + share * all;
      for (double& probability : probabilities_) probability += weights[i] * share / sum;
      probabilities_[static_cast<size_t>(values[i])] += weights[i] / sum;
    }
  }

  double Draw(RandomStream& random) const override {
    return static_cast<double>(DrawIndex(probabilities_, random));
  }

  double LogDensity(double value) const override {
    return std::log(probabilities_[static_cast<size_t>(value)]);
  }

 private:
  std::vector<double> probabilities_;
};

std::unique_ptr<const Density> MakeDensity(const SearchSpace& space, size_t index,
                                           const std::vector<const Observation*>& observations) {
  std::vector<double> values;
  for (const Observation* observation : observations) {
    if (observation->point[index]) values.push_back(*observation->point[index]);
  }
  if (space.parameters()[index].distribution == Distribution::kCategorical)
    return std::make_unique<CategoricalDensity>(space.NumValues(index), values);
  return std::make_unique<NumericDensity>(space, index, values);
}

class ParzenSampler : public Sampler {
 public:
  explicit ParzenSampler(const SearchSpace& space) : space_(space) {}

  std::optional<Point> Suggest(int64_t, const std::vector<Observation>& observations,
                               RandomStream& random) const override {
    if (observations.size() < kStart) return RandomPoint(space_, random);
    std::vector<const Observation*> good, rest;
    for (const Observation& observation : observations) rest.push_back(&observation);
    const size_t count = std::min((rest.size() + 9) / 10, kMostGood);
    std::nth_element(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count), rest.end(),
                     [](const Observation* a, const Observation* b) { return IsBetter(*a, *b); });
    good.assign(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count));
    rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count));
    for (auto* part : {&good, &rest}) {
      std::sort(part->begin(), part->end(),
                [](const Observation* a, const Observation* b) { return a->number < b->number; });
    }
    Point point(space_.size());
    for (size_t i = 0; i < space_.size(); ++i) {
      if (space_.IsActive(i, point)) point[i] = DrawValue(i, good, rest, random);
    }
    return point;
  }

 private:
  double DrawValue(size_t index, const std::vector<const Observation*>& good,
                   const std::vector<const Observation*>& rest, RandomStream& random) const {
    const auto first = MakeDensity(space_, index, good), second = MakeDensity(space_, index, rest);
    double best = 0, best_ratio = 0;
    for (size_t i = 0; i < kCandidates; ++i) {
      const double value = first->Draw(random);
      const double ratio = first->LogDensity(value) - second->LogDensity(value);
      if (i == 0 || ratio > best_ratio) {
        best = value;
        best_ratio = ratio;
      }
    }
    return best;
  }

  const SearchSpace& space_;
};

}  // namespace

std::unique_ptr<const Sampler> MakeParzenSampler(const SearchSpace& space) {
  return std::make_unique<ParzenSampler>(space);
}

}  // namespace seq2seq
