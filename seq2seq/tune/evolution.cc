#include "seq2seq/tune/evolution.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace seq2seq {
namespace {

constexpr size_t kPopulation = 20;
constexpr size_t kTournament = 5;
constexpr double kStep = 0.2;  // Standard deviation of a change, of the unit interval.

class Evolution : public Sampler {
 public:
  explicit Evolution(const SearchSpace& space) : space_(space) {}

  std::optional<Point> Suggest(int64_t, const std::vector<Observation>& observations,
                               RandomStream& random) const override {
    if (observations.size() < kPopulation) return RandomPoint(space_, random);
    const size_t first = observations.size() - kPopulation;
    const Observation* parent = nullptr;
    for (size_t i = 0; i < kTournament; ++i) {
      const Observation& drawn = observations[first + random.Below(kPopulation)];
      if (parent == nullptr || IsBetter(drawn, *parent)) parent = &drawn;
    }
    return Mutate(parent->point, random);
  }

 private:
  Point Mutate(const Point& parent, RandomStream& random) const {
    std::vector<size_t> changeable;
    for (size_t i = 0; i < space_.size(); ++i) {
      if (parent[i] && space_.NumValues(i) != 1) changeable.push_back(i);
    }
    Point child(space_.size());
    const size_t changed =
        changeable.empty() ? space_.size() : changeable[random.Below(changeable.size())];
    for (size_t i = 0; i < space_.size(); ++i) {
      if (!space_.IsActive(i, child)) continue;
      if (i == changed) {
        child[i] = Change(i, *parent[i], random);
      } else {  // One that the change has brought into being is drawn at random.
        child[i] = parent[i] ? *parent[i] : space_.FromUnit(i, random.Uniform());
      }
    }
    return child;
  }

  // Another value than `value`, if the parameter has others.
  double Change(size_t index, double value, RandomStream& random) const {
    if (space_.parameters()[index].distribution == Distribution::kCategorical) {
      const auto other = static_cast<double>(random.Below(space_.NumValues(index) - 1));
      return other < value ? other : other + 1;
    }
    const auto [begin, end] = space_.UnitRange(index, value);
    constexpr int kTries = 100;
    for (int i = 0; i < kTries; ++i) {
      double unit = (begin + end) / 2 + kStep * random.Normal();
      unit = std::abs(unit);  // Reflected at both ends.
      if (unit > 1) unit = std::max(0.0, 2 - unit);
      const double changed = space_.FromUnit(index, unit);
      if (changed != value) return changed;
    }
    return value;
  }

  const SearchSpace& space_;
};

}  // namespace

std::unique_ptr<const Sampler> MakeEvolution(const SearchSpace& space) {
  return std::make_unique<Evolution>(space);
}

}  // namespace seq2seq
