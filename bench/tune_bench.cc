// Samplers of hyperparameters on functions whose minimum is known. Prints, for each function,
// method and seed, a line "function method seed regret": how far the best of the trials is from the
// minimum. bench/tune_with_optuna runs the same functions with Optuna, and makes a table of both.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include <CLI/CLI.hpp>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/random.h"
#include "seq2seq/tune/sampler.h"

namespace seq2seq {
namespace {

constexpr double kPi = 3.14159265358979323846;

struct Problem {
  const char* name;
  SearchSpace space;
  double minimum;
  std::function<double(const Point&)> function;
};

Parameter Range(const std::string& key, double min, double max,
                Distribution distribution = Distribution::kUniform) {
  return {.key = key, .distribution = distribution, .min = min, .max = max, .values = {}};
}

double Branin(const Point& point) {
  const double x = *point[0], y = *point[1];
  return std::pow(y - 5.1 / (4 * kPi * kPi) * x * x + 5 / kPi * x - 6, 2) +
         10 * (1 - 1 / (8 * kPi)) * std::cos(x) + 10;
}

double Hartmann6(const Point& point) {
  constexpr double kWeights[4] = {1, 1.2, 3, 3.2};
  constexpr double kScales[4][6] = {{10, 3, 17, 3.5, 1.7, 8},
                                    {0.05, 10, 17, 0.1, 8, 14},
                                    {3, 3.5, 1.7, 10, 17, 8},
                                    {17, 8, 0.05, 10, 0.1, 14}};
  constexpr double kCentres[4][6] = {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
                                     {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
                                     {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
                                     {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}};
  double sum = 0;
  for (size_t i = 0; i < 4; ++i) {
    double distance = 0;
    for (size_t j = 0; j < 6; ++j)
      distance += kScales[i][j] * std::pow(*point[j] - kCentres[i][j], 2);
    sum -= kWeights[i] * std::exp(-distance);
  }
  return sum;
}

// A method, its rate, of one method a momentum, and a number of layers.
double Mixed(const Point& point) {
  const double rate = std::log10(*point[1]);
  double value = 0.1 * std::pow(*point[3] - 5, 2);
  if (*point[0] == 0) value += 0.5 + std::pow(rate + 1, 2);
  if (*point[0] == 1) value += std::pow(rate + 3, 2) + 4 * std::pow(*point[2] - 0.9, 2);
  if (*point[0] == 2) value += 1 + std::pow(rate + 2, 2);
  return value;
}

std::vector<Problem> Problems() {
  std::vector<Parameter> six;
  for (const char* key : {"a", "b", "c", "d", "e", "f"}) six.push_back(Range(key, 0, 1));
  Parameter momentum = Range("momentum", 0, 1);
  momentum.when = Condition{0, {"sgd"}};
  const Parameter method = {.key = "method",
                            .distribution = Distribution::kCategorical,
                            .values = {"adam", "sgd", "rms"}};
  return {{"branin", SearchSpace({Range("x", -5, 10), Range("y", 0, 15)}), 0.39788735773, Branin},
          {"hartmann6", SearchSpace(six), -3.32236801142, Hartmann6},
          {"mixed",
           SearchSpace({method, Range("rate", 1e-5, 1, Distribution::kLogUniform), momentum,
                        Range("layers", 1, 12, Distribution::kInt)}),
           0, Mixed}};
}

double Regret(const Problem& problem, SearchMethod method, int64_t trials, uint64_t seed) {
  const auto sampler = MakeSampler(method, problem.space);
  std::vector<Observation> observations;
  double best = std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < trials; ++i) {
    RandomStream random(DeriveSeed({seed, static_cast<uint64_t>(i)}));
    const Point point = *sampler->Suggest(i, observations, random);
    const double value = problem.function(point);
    best = std::min(best, value);
    observations.push_back({.number = i, .point = point, .score = -value});
  }
  return best - problem.minimum;
}

}  // namespace
}  // namespace seq2seq

int main(int argc, char** argv) {
  CLI::App app("Samplers of hyperparameters on functions whose minimum is known");
  int64_t trials = 100, seeds = 30;
  app.add_option("--trials", trials, "Trials of each search")->capture_default_str();
  app.add_option("--seeds", seeds, "Searches of each method")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  using seq2seq::SearchMethod;
  for (const seq2seq::Problem& problem : seq2seq::Problems()) {
    for (const SearchMethod method :
         {SearchMethod::kRandom, SearchMethod::kBayes, SearchMethod::kEvolution}) {
      for (int64_t seed = 0; seed < seeds; ++seed) {
        std::cout << absl::StreamFormat(
            "%s %s %d %.6g\n", problem.name, seq2seq::EnumText(method), seed,
            seq2seq::Regret(problem, method, trials, static_cast<uint64_t>(seed)));
      }
    }
  }
}
