#include "seq2seq/train/optimizer.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "tests/tiny_model.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

OptimizerOptions Kind(OptimizerKind kind) {
  OptimizerOptions options;
  options.kind = kind;
  return options;
}

TensorMap TinyParameters() {
  torch::manual_seed(1);
  return {{"a", torch::randn({3, 2}, torch::kFloat64).requires_grad_()},
          {"b", torch::randn({4}, torch::kFloat64).requires_grad_()},
          {"scale", torch::randn({}, torch::kFloat64).requires_grad_()}};
}

TensorMap Copy(const TensorMap& tensors) {
  TensorMap copy;
  for (const auto& [name, tensor] : tensors) {
    copy.emplace(name, tensor.detach().clone().requires_grad_(tensor.requires_grad()));
  }
  return copy;
}

std::vector<torch::Tensor> Values(const TensorMap& tensors) {
  std::vector<torch::Tensor> values;
  for (const auto& [name, tensor] : tensors) values.push_back(tensor);
  return values;
}

// The gradients of update `update`: small and large ones.
void SetGradients(const TensorMap& parameters, int64_t update) {
  torch::manual_seed(static_cast<uint64_t>(update));
  for (auto& [name, parameter] : parameters) {
    parameter.mutable_grad() = torch::randn_like(parameter).detach() * std::pow(10.0, 2 - update);
  }
}

double LargestDifference(const TensorMap& a, const TensorMap& b) {
  double largest = a.size() == b.size() ? 0 : std::numeric_limits<double>::infinity();
  for (const auto& [name, tensor] : a)
    largest = std::max(largest, MaxDifference(tensor, b.at(name)));
  return largest;
}

TEST(Adam, AgreesWithTorchAdam) {
  OptimizerOptions options = Kind(OptimizerKind::kAdam);
  options.beta1 = 0.8;
  options.beta2 = 0.97;
  options.epsilon = 1e-3;
  const TensorMap parameters = TinyParameters();
  const TensorMap twin_parameters = Copy(parameters);
  const std::unique_ptr<Optimizer> optimizer = MakeOptimizer(options, parameters);
  torch::optim::Adam twin(Values(twin_parameters),
                          torch::optim::AdamOptions(1).betas(std::make_tuple(0.8, 0.97)).eps(1e-3));
  for (int64_t update = 1; update <= 5; ++update) {
    const double rate = 0.1 / static_cast<double>(update);
    SetGradients(parameters, update);
    SetGradients(twin_parameters, update);
    optimizer->Step(rate, update);
    static_cast<torch::optim::AdamOptions&>(twin.param_groups()[0].options()).lr(rate);
    twin.step();
    EXPECT_LT(LargestDifference(parameters, twin_parameters), 1e-12) << update;
  }
  EXPECT_GT(LargestDifference(parameters, TinyParameters()), 0.1);
}

TEST(Sgd, AgreesWithTorchSgd) {
  const TensorMap parameters = TinyParameters();
  const TensorMap twin_parameters = Copy(parameters);
  const std::unique_ptr<Optimizer> optimizer = MakeOptimizer(Kind(OptimizerKind::kSgd), parameters);
  torch::optim::SGD twin(Values(twin_parameters), torch::optim::SGDOptions(1));
  for (int64_t update = 1; update <= 5; ++update) {
    const double rate = 0.1 / static_cast<double>(update);
    SetGradients(parameters, update);
    SetGradients(twin_parameters, update);
    optimizer->Step(rate, update);
    static_cast<torch::optim::SGDOptions&>(twin.param_groups()[0].options()).lr(rate);
    twin.step();
    EXPECT_LT(LargestDifference(parameters, twin_parameters), 1e-12) << update;
  }
  EXPECT_THAT(optimizer->State(), IsEmpty());
}

TEST(Optimizer, LeavesParametersWithoutGradientAlone) {
  for (const OptimizerKind kind : {OptimizerKind::kAdam, OptimizerKind::kSgd}) {
    const TensorMap parameters = TinyParameters();
    const std::unique_ptr<Optimizer> optimizer = MakeOptimizer(Kind(kind), parameters);
    SetGradients(parameters, 1);
    parameters.at("b").mutable_grad() = torch::Tensor();
    optimizer->Step(0.1, 1);
    const TensorMap before = TinyParameters();
    EXPECT_TRUE(torch::equal(parameters.at("b"), before.at("b")));
    EXPECT_FALSE(torch::equal(parameters.at("a"), before.at("a")));
  }
}

TEST(Optimizer, RestoredOneGoesOnAsTheFirst) {
  const OptimizerOptions options = Kind(OptimizerKind::kAdam);
  const TensorMap parameters = TinyParameters();
  const std::unique_ptr<Optimizer> first = MakeOptimizer(options, parameters);
  for (int64_t update = 1; update <= 3; ++update) {
    SetGradients(parameters, update);
    first->Step(0.1, update);
  }
  const TensorMap others = Copy(parameters);
  const std::unique_ptr<Optimizer> second = MakeOptimizer(options, others);
  ASSERT_TRUE(second->Restore(Copy(first->State()), "file").ok());
  for (int64_t update = 4; update <= 6; ++update) {
    for (const TensorMap* map : {&parameters, &others}) SetGradients(*map, update);
    first->Step(0.1, update);
    second->Step(0.1, update);
  }
  EXPECT_EQ(LargestDifference(parameters, others), 0);
  EXPECT_EQ(LargestDifference(first->State(), second->State()), 0);
}

TEST(Optimizer, StateIsNamedAfterTheParameters) {
  const TensorMap state = MakeOptimizer(Kind(OptimizerKind::kAdam), TinyParameters())->State();
  EXPECT_EQ(state.size(), 6u);
  for (const char* name : {"mean.a", "square.a", "mean.scale", "square.scale"})
    EXPECT_EQ(state.count(name), 1u);
  EXPECT_EQ(state.at("mean.a").sizes(), (std::vector<int64_t>{3, 2}));
}

TEST(Optimizer, StateThatDoesNotFitIsRefusedByName) {
  const std::unique_ptr<Optimizer> adam =
      MakeOptimizer(Kind(OptimizerKind::kAdam), TinyParameters());
  const std::unique_ptr<Optimizer> sgd = MakeOptimizer(Kind(OptimizerKind::kSgd), TinyParameters());
  const absl::Status missing = adam->Restore({}, "run/optimizer");
  EXPECT_TRUE(absl::IsInvalidArgument(missing)) << missing;
  EXPECT_THAT(std::string(missing.message()),
              AllOf(HasSubstr("run/optimizer"), HasSubstr("mean.a")));
  EXPECT_TRUE(absl::IsInvalidArgument(sgd->Restore(adam->State(), "run/optimizer")));
  EXPECT_TRUE(sgd->Restore({}, "run/optimizer").ok());
}

TEST(ClipGradients, ScalesTheJointNormDownToTheBound) {
  const TensorMap parameters = TinyParameters();
  SetGradients(parameters, 1);
  const double a = parameters.at("a").grad().square().sum().item<double>();
  const double b = parameters.at("b").grad().square().sum().item<double>();
  const double scale = parameters.at("scale").grad().square().sum().item<double>();
  const torch::Tensor before = parameters.at("a").grad().clone();
  const double norm = std::sqrt(a + b + scale);
  EXPECT_NEAR(ClipGradients(parameters, 0.5), norm, 1e-10);
  EXPECT_LT(MaxDifference(parameters.at("a").grad(), before * (0.5 / norm)), 1e-12);
  EXPECT_NEAR(ClipGradients(parameters, 0), 0.5, 1e-10);
}

TEST(ClipGradients, LeavesSmallGradientsAndNoBoundAlone) {
  const TensorMap parameters = TinyParameters();
  SetGradients(parameters, 1);
  const torch::Tensor before = parameters.at("a").grad().clone();
  const double norm = ClipGradients(parameters, 0);
  EXPECT_NEAR(ClipGradients(parameters, norm * 1.001), norm, 1e-10);
  EXPECT_TRUE(torch::equal(parameters.at("a").grad(), before));
}

TEST(ClipGradients, PassesOverParametersWithoutGradient) {
  const TensorMap parameters = TinyParameters();
  parameters.at("scale").mutable_grad() = torch::full({}, -3.0, torch::kFloat64);
  EXPECT_DOUBLE_EQ(ClipGradients(parameters, 1), 3);
  EXPECT_DOUBLE_EQ(parameters.at("scale").grad().item<double>(), -1);
}

}  // namespace
}  // namespace seq2seq
