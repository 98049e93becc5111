#include "seq2seq/tune/importance.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>

namespace seq2seq {
namespace {

constexpr double kWidth = 0.1;  // Of a kernel, of the unit interval.

// How much the score at `b` tells of that at `a`, where these are places of the unit interval or
// categories; a parameter that does not exist is a category of its own.
double Weight(const std::optional<double>& a, const std::optional<double>& b, bool categorical) {
  if (!a || !b) return a.has_value() == b.has_value() ? 1 : 0;
  if (categorical) return *a == *b ? 1 : 0;
  return std::exp(-0.5 * std::pow((*a - *b) / kWidth, 2));
}

}  // namespace

std::vector<double> Importance(const SearchSpace& space, absl::Span<const Point> points,
                               absl::Span<const double> scores) {
  const size_t count = points.size();
  std::vector<double> shares(space.size());
  double sum = 0;
  for (const double score : scores) sum += score;
  // Leaving one out, the mean of the others is what no parameter predicts.
  double total = 0;
  for (const double score : scores) {
    total += std::pow(score - (sum - score) / std::max(1.0, static_cast<double>(count) - 1), 2);
  }
  if (count < 3 || total == 0) return shares;
  for (size_t p = 0; p < space.size(); ++p) {
    const bool categorical = space.parameters()[p].distribution == Distribution::kCategorical;
    std::vector<std::optional<double>> places;
    for (const Point& point : points) {
      std::optional<double> place = point[p];
      if (place && !categorical) {
        const auto [begin, end] = space.UnitRange(p, *place);
        place = (begin + end) / 2;
      }
      places.push_back(place);
    }
    double rest = 0;
    for (size_t i = 0; i < count; ++i) {
      // The mean of all others counts as one more that is hardly near, where none is.
      double weights = 1e-6, mean = 1e-6 * (sum - scores[i]) / static_cast<double>(count - 1);
      for (size_t j = 0; j < count; ++j) {
        if (j == i) continue;
        const double weight = Weight(places[i], places[j], categorical);
        weights += weight;
        mean += weight * scores[j];
      }
      rest += std::pow(scores[i] - mean / weights, 2);
    }
    shares[p] = std::max(0.0, 1 - rest / total);
  }
  return shares;
}

}  // namespace seq2seq
