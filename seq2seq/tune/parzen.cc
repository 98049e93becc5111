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
constexpr size_t kCandidates = 64;  // Drawn from it.

double NormalCdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

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

// Kernel of an observed value of a parameter, or of all its values.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual double Draw(RandomStream& random) const = 0;
  virtual double Density(double value) const = 0;
};

// A normal density, truncated to the unit interval.
class NormalKernel : public Kernel {
 public:
  NormalKernel(const SearchSpace& space, size_t index, double mean, double width)
      : space_(space),
        index_(index),
        mean_(mean),
        width_(width),
        inside_(NormalCdf((1 - mean) / width) - NormalCdf(-mean / width)) {}

  double Draw(RandomStream& random) const override {
    while (true) {  // The mean is in the interval, and the width at most 1: a third of them are.
      const double unit = mean_ + width_ * random.Normal();
      if (unit >= 0 && unit <= 1) return space_.FromUnit(index_, unit);
    }
  }

  double Density(double value) const override {
    constexpr double kRootOfTwoPi = 2.5066282746310002;
    const auto [begin, end] = space_.UnitRange(index_, value);
    const double part =
        begin < end
            ? NormalCdf((end - mean_) / width_) - NormalCdf((begin - mean_) / width_)
            : std::exp(-0.5 * std::pow((begin - mean_) / width_, 2)) / (width_ * kRootOfTwoPi);
    return part / inside_;
  }

 private:
  const SearchSpace& space_;
  const size_t index_;
  const double mean_, width_, inside_;
};

// One category, and with a small probability any.
class CategoryKernel : public Kernel {
 public:
  CategoryKernel(size_t choices, std::optional<double> value, double share) {
    probabilities_.assign(choices, share);
    if (value) probabilities_[static_cast<size_t>(*value)] += 1;
    double sum = 0;
    for (const double probability : probabilities_) sum += probability;
    for (double& probability : probabilities_) probability /= sum;
  }

  double Draw(RandomStream& random) const override {
    return static_cast<double>(DrawIndex(probabilities_, random));
  }

  double Density(double value) const override { return probabilities_[static_cast<size_t>(value)]; }

 private:
  std::vector<double> probabilities_;
};

// Density over points: a mixture of products of kernels, one product for each observation, and one
// of kernels of all values.
class PointDensity {
 public:
  PointDensity(const SearchSpace& space, const std::vector<const Observation*>& observations)
      : space_(space), weights_(KernelWeights(observations.size())) {
    for (size_t i = 0; i < space.size(); ++i) AddKernels(i, observations);
  }

  Point Draw(RandomStream& random) const {
    const size_t chosen = DrawIndex(weights_, random);
    Point point(space_.size());
    for (size_t i = 0; i < space_.size(); ++i) {
      if (space_.IsActive(i, point)) point[i] = kernels_[i][chosen]->Draw(random);
    }
    return point;
  }

  double LogDensity(const Point& point) const {
    double density = 0;
    for (size_t k = 0; k < weights_.size(); ++k) {
      double product = weights_[k];
      for (size_t i = 0; i < space_.size(); ++i) {
        if (point[i]) product *= kernels_[i][k]->Density(*point[i]);
      }
      density += product;
    }
    return std::log(std::max(density, 1e-300));
  }

 private:
  // Those of parameter `index`: as wide as the gap to the next value, and the range where an
  // observation lacks it.
  void AddKernels(size_t index, const std::vector<const Observation*>& observations) {
    std::vector<std::unique_ptr<const Kernel>>& kernels = kernels_.emplace_back();
    const bool categorical = space_.parameters()[index].distribution == Distribution::kCategorical;
    const double share = 1 / static_cast<double>(weights_.size());
    std::vector<double> means = {0.5};
    for (const Observation* observation : observations) {
      if (!categorical && observation->point[index])
        means.push_back(Centre(index, *observation->point[index]));
    }
    std::sort(means.begin(), means.end());
    const auto add = [&](std::optional<double> value) {
      if (categorical) {
        kernels.push_back(std::make_unique<CategoryKernel>(space_.NumValues(index), value, share));
      } else if (!value) {
        kernels.push_back(std::make_unique<NormalKernel>(space_, index, 0.5, 1));
      } else {
        const double mean = Centre(index, *value);
        kernels.push_back(std::make_unique<NormalKernel>(space_, index, mean, Width(means, mean)));
      }
    };
    for (const Observation* observation : observations) add(observation->point[index]);
    add(std::nullopt);
  }

  double Centre(size_t index, double value) const {
    const auto [begin, end] = space_.UnitRange(index, value);
    return (begin + end) / 2;
  }

  static double Width(const std::vector<double>& means, double mean) {
    const auto found = std::lower_bound(means.begin(), means.end(), mean);
    double gap = 0;
    if (found != means.begin()) gap = mean - *(found - 1);
    if (found + 1 != means.end()) gap = std::max(gap, *(found + 1) - mean);
    const double narrowest = 1 / static_cast<double>(std::min<size_t>(100, means.size()));
    return std::clamp(gap, narrowest, 1.0);
  }

  const SearchSpace& space_;
  const std::vector<double> weights_;
  std::vector<std::vector<std::unique_ptr<const Kernel>>> kernels_;  // [parameter][observation]
};

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
    const PointDensity first(space_, good), second(space_, rest);
    Point best;
    double best_ratio = 0;
    for (size_t i = 0; i < kCandidates; ++i) {
      Point point = first.Draw(random);
      const double ratio = first.LogDensity(point) - second.LogDensity(point);
      if (i > 0 && ratio <= best_ratio) continue;
      best = std::move(point);
      best_ratio = ratio;
    }
    return best;
  }

 private:
  const SearchSpace& space_;
};

}  // namespace

std::unique_ptr<const Sampler> MakeParzenSampler(const SearchSpace& space) {
  return std::make_unique<ParzenSampler>(space);
}

}  // namespace seq2seq
