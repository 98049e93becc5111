#include "seq2seq/train/gradient.h"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/model/parameters.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

// The gradients that ComputeGradient leaves.
TensorMap Gradients(Model model, const std::vector<Batch>& batches, LossSums& sums) {
  MemoryPlan memory;
  int64_t tokens = 0;
  for (const Batch& batch : batches) tokens += batch.target_tokens;
  sums = ComputeGradient(model, torch::kCPU, batches,
                         {.forcing = TeacherForcing(), .seed = 3, .tokens = tokens}, memory,
                         [](const std::string& warning) { ADD_FAILURE() << warning; });
  TensorMap gradients;
  for (const auto& [name, parameter] : Parameters(*model))
    gradients.emplace(name, parameter.grad().clone());
  return gradients;
}

TEST(ComputeGradient, OfTwoBatchesAgreesWithThatOfBothTogether) {
  Model model = TinyModel(TinyOptions());
  const std::vector<Pair> pairs = RandomPairs(model->options(), {{3, 2}, {5, 4}, {1, 6}});
  LossSums together, apart;
  const TensorMap expected = Gradients(model, {MakeBatch(pairs)}, together);
  const TensorMap gradients =
      Gradients(model, {MakeBatch({pairs[0], pairs[1]}), MakeBatch({pairs[2]})}, apart);
  EXPECT_EQ(together.tokens, 2 + 4 + 6 + 3);
  EXPECT_EQ(apart.tokens, together.tokens);
  EXPECT_NEAR(apart.nll, together.nll, 1e-9);
  EXPECT_EQ(apart.correct, together.correct);
  ASSERT_EQ(gradients.size(), expected.size());
  for (const auto& [name, gradient] : gradients)
    EXPECT_LT(MaxDifference(gradient, expected.at(name)), 1e-9) << name;
  DropGradients(Parameters(*model));
  EXPECT_EQ(GradientNorm(Parameters(*model)), 0);
}

TEST(ShapeGradients, AddsPenaltiesOfMatricesAndCutsOff) {
  const TensorMap parameters = {{"cell.weight_ih", torch::full({2, 2}, 2.0).requires_grad_()},
                                {"cell.weight_hh", torch::full({2, 2}, 2.0).requires_grad_()},
                                {"cell.bias_ih", torch::full({2}, 2.0).requires_grad_()},
                                {"embedding.weight", torch::full({2, 2}, 2.0).requires_grad_()}};
  for (const auto& [name, parameter] : parameters) {
    parameter.mutable_grad() = torch::full_like(parameter, 0.5).detach();
    parameter.mutable_grad().flatten()[0] = -7;
  }
  OptimizerOptions options;
  options.l2 = 0.25;
  options.l2_recurrent = 0.125;
  options.clip_value = 3;
  ShapeGradients(options, parameters);
  const std::map<std::string, double> expected = {{"cell.weight_ih", 1.0},
                                                  {"cell.weight_hh", 0.75},
                                                  {"cell.bias_ih", 0.5},
                                                  {"embedding.weight", 0.5}};
  for (const auto& [name, value] : expected) {
    const torch::Tensor gradient = parameters.at(name).grad().flatten();
    EXPECT_EQ(gradient[0].item<double>(), -3) << name;
    EXPECT_EQ(gradient[1].item<double>(), value) << name;
  }
}

TEST(GradientNorm, IsThatOfAllGradientsThereAre) {
  const TensorMap parameters = {{"a", torch::randn({3, 2}, torch::kFloat64).requires_grad_()},
                                {"b", torch::randn({4}, torch::kFloat64).requires_grad_()}};
  EXPECT_EQ(GradientNorm(parameters), 0);
  for (const auto& [name, parameter] : parameters)
    parameter.mutable_grad() = torch::randn_like(parameter).detach();
  double squares = 0;
  for (const auto& [name, parameter] : parameters) {
    squares += parameter.grad().square().sum().item<double>();
  }
  EXPECT_NEAR(GradientNorm(parameters), std::sqrt(squares), 1e-10);
}

}  // namespace
}  // namespace seq2seq
