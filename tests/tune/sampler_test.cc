#include "seq2seq/tune/sampler.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace seq2seq {
namespace {

constexpr double kPi = 3.14159265358979323846;

Parameter Range(const std::string& key, double min, double max,
                Distribution distribution = Distribution::kUniform) {
  return {.key = key, .distribution = distribution, .min = min, .max = max, .values = {}};
}

Parameter List(const std::string& key, std::vector<std::string> values) {
  return {.key = key, .distribution = Distribution::kCategorical, .values = std::move(values)};
}

// Branin's function, whose minimum is 0.397887.
double Branin(const Point& point) {
  const double x = *point[0], y = *point[1];
  return std::pow(y - 5.1 / (4 * kPi * kPi) * x * x + 5 / kPi * x - 6, 2) +
         10 * (1 - 1 / (8 * kPi)) * std::cos(x) + 10;
}

SearchSpace BraninSpace() { return SearchSpace({Range("x", -5, 10), Range("y", 0, 15)}); }

// A rate that depends on a method, of which one has a momentum; the minimum is 0.
double Mixed(const Point& point) {
  const double rate = std::log10(*point[1]);
  if (*point[0] == 0) return 0.5 + std::pow(rate + 1, 2);
  if (*point[0] == 1) return std::pow(rate + 3, 2) + 4 * std::pow(*point[2] - 0.9, 2);
  return 1 + std::pow(rate + 2, 2);
}

SearchSpace MixedSpace() {
  Parameter momentum = Range("momentum", 0, 1);
  momentum.when = Condition{0, {"sgd"}};
  return SearchSpace({List("method", {"adam", "sgd", "rms"}),
                      Range("rate", 1e-5, 1, Distribution::kLogUniform), momentum});
}

// The smallest value that a search of `trials` trials finds.
double Minimum(SearchMethod method, const SearchSpace& space, int64_t trials, uint64_t seed,
               const std::function<double(const Point&)>& function) {
  const auto sampler = MakeSampler(method, space);
  std::vector<Observation> observations;
  double best = INFINITY;
  for (int64_t i = 0; i < trials; ++i) {
    RandomStream random(DeriveSeed({seed, static_cast<uint64_t>(i)}));
    const auto point = sampler->Suggest(i, observations, random);
    const double value = function(*point);
    best = std::min(best, value);
    observations.push_back({.number = i, .point = *point, .score = -value});
  }
  return best;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class Method : public testing::TestWithParam<SearchMethod> {};

TEST_P(Method, FindsLowerValuesThanChance) {
  const std::vector<std::tuple<SearchSpace, double (*)(const Point&), double>> problems = {
      {BraninSpace(), Branin, 0.397887}, {MixedSpace(), Mixed, 0}};
  for (const auto& [space, function, minimum] : problems) {
    std::vector<double> with, without;
    for (uint64_t seed = 0; seed < 15; ++seed) {
      with.push_back(Minimum(GetParam(), space, 120, seed, function) - minimum);
      without.push_back(Minimum(SearchMethod::kRandom, space, 120, seed, function) - minimum);
    }
    EXPECT_LT(Median(with), 0.6 * Median(without));
  }
}

TEST_P(Method, IsAFunctionOfObservationsAndRandomNumbers) {
  const SearchSpace space = MixedSpace();
  const auto sampler = MakeSampler(GetParam(), space);
  std::vector<Observation> observations;
  for (int64_t i = 0; i < 40; ++i) {
    RandomStream one(static_cast<uint64_t>(i)), other(static_cast<uint64_t>(i));
    const auto point = sampler->Suggest(i, observations, one);
    EXPECT_EQ(point, MakeSampler(GetParam(), space)->Suggest(i, observations, other));
    observations.push_back(
        {.number = i, .point = *point, .failed = i % 7 == 3, .score = -Mixed(*point)});
  }
}

TEST_P(Method, PointsHaveTheParametersThatExist) {
  const SearchSpace space = MixedSpace();
  const auto sampler = MakeSampler(GetParam(), space);
  std::vector<Observation> observations;
  std::set<double> methods;
  for (int64_t i = 0; i < 100; ++i) {
    RandomStream random(static_cast<uint64_t>(i));
    const Point point = *sampler->Suggest(i, observations, random);
    methods.insert(*point[0]);
    ASSERT_EQ(point[2].has_value(), *point[0] == 1);
    ASSERT_TRUE(*point[1] >= 1e-5 && *point[1] <= 1);
    observations.push_back({.number = i, .point = point, .score = -Mixed(point)});
  }
  EXPECT_EQ(methods.size(), 3);
}

TEST_P(Method, KeepsAwayFromWhatFails) {
  // Half of the space fails, and the best of the rest lies at its edge.
  const SearchSpace space({Range("x", 0, 1)});
  const auto sampler = MakeSampler(GetParam(), space);
  std::vector<Observation> observations;
  int failures = 0;
  for (int64_t i = 0; i < 100; ++i) {
    RandomStream random(DeriveSeed({7, static_cast<uint64_t>(i)}));
    const Point point = *sampler->Suggest(i, observations, random);
    const bool failed = *point[0] > 0.5;
    if (i >= 50) failures += failed;
    observations.push_back({.number = i, .point = point, .failed = failed, .score = *point[0]});
  }
  EXPECT_LT(failures, 23);  // Of 50; chance gives 25.
}

INSTANTIATE_TEST_SUITE_P(All, Method,
                         testing::Values(SearchMethod::kBayes, SearchMethod::kEvolution),
                         [](const auto& info) {
                           return EnumTexts(info.param)[static_cast<size_t>(info.param)];
                         });

TEST(Grid, EndsAfterItsLastPoint) {
  const SearchSpace space({List("a", {"1", "2"}), List("b", {"x", "y", "z"})});
  const auto sampler = MakeSampler(SearchMethod::kGrid, space);
  RandomStream random(1);
  EXPECT_EQ(sampler->Suggest(4, {}, random), (Point{1, 1}));
  EXPECT_EQ(sampler->Suggest(6, {}, random), std::nullopt);
}

TEST(Observation, PromotedIsBetterThanScore) {
  const Observation low = {.number = 1, .point = {}, .rung = 0, .score = 9};
  const Observation high = {.number = 2, .point = {}, .rung = 1, .score = 3};
  const Observation failed = {.number = 3, .point = {}, .failed = true, .rung = 2, .score = 9};
  EXPECT_TRUE(IsBetter(high, low));
  EXPECT_TRUE(IsBetter(low, failed));
  EXPECT_FALSE(IsBetter(failed, low));
}

TEST(RandomStream, IsTheSameOnEveryPlatform) {
  RandomStream random(1);
  EXPECT_EQ(random.Next(), Mix(1));
  RandomStream other(42);
  double sum = 0, squares = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = other.Normal();
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / 10'000, 0, 0.03);
  EXPECT_NEAR(squares / 10'000, 1, 0.05);
}

}  // namespace
}  // namespace seq2seq
