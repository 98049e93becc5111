#include "seq2seq/tune/search_space.h"

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "seq2seq/tune/sampler.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;

Parameter Range(Distribution distribution, double min, double max, double step = 0) {
  return {
      .key = "x", .distribution = distribution, .min = min, .max = max, .step = step, .values = {}};
}

Parameter List(const std::string& key, std::vector<std::string> values) {
  return {.key = key, .distribution = Distribution::kCategorical, .values = std::move(values)};
}

TEST(SearchSpace, SpreadsEachDistributionOverTheUnitInterval) {
  const SearchSpace uniform({Range(Distribution::kUniform, 2, 4)});
  EXPECT_EQ(uniform.FromUnit(0, 0), 2);
  EXPECT_EQ(uniform.FromUnit(0, 0.5), 3);
  EXPECT_EQ(uniform.FromUnit(0, 1), 4);
  const SearchSpace log({Range(Distribution::kLogUniform, 1e-4, 1)});
  EXPECT_EQ(log.FromUnit(0, 0), 1e-4);
  EXPECT_EQ(log.FromUnit(0, 0.5), 0.01);
  EXPECT_EQ(log.FromUnit(0, 1), 1);
  const SearchSpace numbers({Range(Distribution::kInt, 1, 4)});
  for (int i = 0; i < 4; ++i) {  // A quarter each.
    EXPECT_EQ(numbers.FromUnit(0, 0.25 * i + 0.01), 1 + i);
    EXPECT_EQ(numbers.FromUnit(0, 0.25 * i + 0.24), 1 + i);
  }
}

TEST(SearchSpace, ValueGoesBackToItsPartOfTheUnitInterval) {
  for (const Parameter& parameter :
       {Range(Distribution::kUniform, -3, 5), Range(Distribution::kUniform, 0, 1, 0.1),
        Range(Distribution::kLogUniform, 1e-3, 10), Range(Distribution::kInt, 3, 40),
        Range(Distribution::kInt, 64, 512, 64), Range(Distribution::kLogInt, 1, 1000),
        List("y", {"a", "b", "c"})}) {
    const SearchSpace space({parameter});
    for (double unit = 0.003; unit < 1; unit += 0.01) {
      const double value = space.FromUnit(0, unit);
      const auto [begin, end] = space.UnitRange(0, value);
      EXPECT_LE(begin, unit + 2e-3);  // Of rounding to four digits.
      EXPECT_GE(end, unit - 2e-3);
      EXPECT_EQ(space.FromText(0, space.Text(0, value)), value);
    }
  }
}

TEST(SearchSpace, StepsAndWholeNumbersHaveNoOtherValues) {
  const SearchSpace space({Range(Distribution::kUniform, 0.1, 0.5, 0.2)});
  std::set<std::string> texts;
  for (double unit = 0; unit <= 1; unit += 0.01)
    texts.insert(space.Text(0, space.FromUnit(0, unit)));
  EXPECT_THAT(texts, ElementsAre("0.1", "0.3", "0.5"));
  EXPECT_EQ(space.NumValues(0), 3);
  EXPECT_EQ(SearchSpace({Range(Distribution::kInt, 10, 25, 10)}).NumValues(0), 2);
  EXPECT_EQ(SearchSpace({Range(Distribution::kUniform, 0, 1)}).NumValues(0), 0);
}

TEST(SearchSpace, RejectsTextsThatAreNoValues) {
  const SearchSpace space({Range(Distribution::kUniform, 0, 1), List("y", {"a"})});
  EXPECT_EQ(space.FromText(0, "2"), std::nullopt);
  EXPECT_EQ(space.FromText(0, "nan"), std::nullopt);
  EXPECT_EQ(space.FromText(0, "x"), std::nullopt);
  EXPECT_EQ(space.FromText(1, "b"), std::nullopt);
}

SearchSpace Conditional() {
  Parameter length = Range(Distribution::kInt, 1, 3);
  length.key = "length";
  length.when = Condition{0, {"cosine", "linear"}};
  return SearchSpace(
      {List("kind", {"constant", "cosine", "linear"}), length, List("size", {"s", "l"})});
}

TEST(SearchSpace, ParametersExistWhereTheirConditionHolds) {
  const SearchSpace space = Conditional();
  EXPECT_THAT(space.Assignments({0, std::nullopt, 1}), ElementsAre("kind=constant", "size=l"));
  EXPECT_THAT(space.Assignments({2, 3, 0}), ElementsAre("kind=linear", "length=3", "size=s"));
  RandomStream random(1);
  for (int i = 0; i < 100; ++i) {
    const Point point = RandomPoint(space, random);
    EXPECT_EQ(point[1].has_value(), *point[0] != 0);
  }
}

TEST(SearchSpace, GridHasEveryPointOnce) {
  const SearchSpace space = Conditional();
  ASSERT_EQ(space.GridSize(), 2 + 3 * 2 + 3 * 2);
  std::set<std::vector<std::string>> points;
  for (int64_t i = 0; i < space.GridSize(); ++i)
    points.insert(space.Assignments(space.GridPoint(i)));
  EXPECT_EQ(points.size(), 14);
  EXPECT_THAT(space.Assignments(space.GridPoint(0)), ElementsAre("kind=constant", "size=s"));
  EXPECT_THAT(space.Assignments(space.GridPoint(3)),
              ElementsAre("kind=cosine", "length=1", "size=l"));
}

TEST(SearchSpace, HugeGridDoesNotOverflow) {
  std::vector<Parameter> parameters(30, Range(Distribution::kInt, 1, 1000));
  const SearchSpace space(std::move(parameters));
  EXPECT_GT(space.GridSize(), int64_t{1} << 40);
  EXPECT_EQ(space.GridPoint(1)[29], 2);
}

}  // namespace
}  // namespace seq2seq
