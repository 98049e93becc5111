#include "seq2seq/tune/importance.h"

#include <vector>

#include <gtest/gtest.h>

#include "seq2seq/tune/sampler.h"

namespace seq2seq {
namespace {

SearchSpace Space() {
  return SearchSpace(
      {{.key = "x", .min = 0, .max = 1, .values = {}},
       {.key = "y", .min = 0, .max = 1, .values = {}},
       {.key = "kind", .distribution = Distribution::kCategorical, .values = {"a", "b"}}});
}

TEST(Importance, IsTheShareOfVarianceThatAParameterPredicts) {
  const SearchSpace space = Space();
  RandomStream random(1);
  std::vector<Point> points;
  std::vector<double> scores;
  for (int i = 0; i < 400; ++i) {
    points.push_back(RandomPoint(space, random));
    // Variances: 1/12 of x; 0.09 of the kind.
    scores.push_back(*points.back()[0] + 0.6 * *points.back()[2]);
  }
  const std::vector<double> shares = Importance(space, points, scores);
  const double total = 1.0 / 12 + 0.09;
  EXPECT_NEAR(shares[0], 1.0 / 12 / total, 0.08);
  EXPECT_NEAR(shares[1], 0, 0.03);
  EXPECT_NEAR(shares[2], 0.09 / total, 0.08);
}

TEST(Importance, IsZeroWhereNothingVaries) {
  const SearchSpace space = Space();
  const std::vector<Point> points(5, Point{0.5, 0.5, 0});
  EXPECT_EQ(Importance(space, points, std::vector<double>(5, 3)), std::vector<double>(3));
  EXPECT_EQ(Importance(space, {}, {}), std::vector<double>(3));
  for (const double share : Importance(space, points, std::vector<double>{1, 2, 3, 4, 5})) {
    EXPECT_LT(share, 1e-6);
  }
}

}  // namespace
}  // namespace seq2seq
