#include "seq2seq/train/optimizer.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/model/parameters.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/train/gradient.h"
#include "tests/testing/tiny_model.h"

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

// Five updates of both, at a decaying rate, end at the same weights.
template <typename TwinOptions>
void ExpectAgreement(const OptimizerOptions& options, torch::optim::Optimizer& twin,
                     const TensorMap& parameters, const TensorMap& twin_parameters) {
  const std::unique_ptr<Optimizer> optimizer = MakeOptimizer(options, {{parameters}});
  for (int64_t update = 1; update <= 5; ++update) {
    const double rate = 0.1 / static_cast<double>(update);
    SetGradients(parameters, update);
    SetGradients(twin_parameters, update);
    optimizer->Step(rate);
    static_cast<TwinOptions&>(twin.param_groups()[0].options()).lr(rate);
    twin.step();
    EXPECT_LT(LargestDifference(parameters, twin_parameters), 1e-12) << update;
  }
  EXPECT_GT(LargestDifference(parameters, TinyParameters()), 0.1);
}

TEST(Adam, AgreesWithTorchAdam) {
  OptimizerOptions options = Kind(OptimizerKind::kAdam);
  options.beta1 = 0.8;
  options.beta2 = 0.97;
  options.epsilon = 1e-3;
  const TensorMap parameters = TinyParameters(), twins = Copy(parameters);
  torch::optim::Adam twin(Values(twins),
                          torch::optim::AdamOptions(1).betas(std::make_tuple(0.8, 0.97)).eps(1e-3));
  ExpectAgreement<torch::optim::AdamOptions>(options, twin, parameters, twins);
}

TEST(Sgd, AgreesWithTorchSgd) {
  for (const double momentum : {0.0, 0.9}) {
    for (const bool nesterov : {false, true}) {
      if (nesterov && momentum == 0) continue;
      OptimizerOptions options = Kind(OptimizerKind::kSgd);
      options.momentum = momentum;
      options.nesterov = nesterov;
      const TensorMap parameters = TinyParameters(), twins = Copy(parameters);
      torch::optim::SGD twin(Values(twins),
                             torch::optim::SGDOptions(1).momentum(momentum).nesterov(nesterov));
      ExpectAgreement<torch::optim::SGDOptions>(options, twin, parameters, twins);
      EXPECT_EQ(MakeOptimizer(options, {{parameters}})->State().size(), momentum > 0 ? 3u : 0u);
    }
  }
}

TEST(Adagrad, AgreesWithTorchAdagrad) {
  OptimizerOptions options = Kind(OptimizerKind::kAdagrad);
  options.epsilon = 1e-3;
  const TensorMap parameters = TinyParameters(), twins = Copy(parameters);
  torch::optim::Adagrad twin(Values(twins), torch::optim::AdagradOptions(1).eps(1e-3));
  ExpectAgreement<torch::optim::AdagradOptions>(options, twin, parameters, twins);
}

TEST(Rmsprop, AgreesWithTorchRmsprop) {
  for (const double momentum : {0.0, 0.5}) {
    OptimizerOptions options = Kind(OptimizerKind::kRmsprop);
    options.beta2 = 0.9;
    options.epsilon = 1e-3;
    options.momentum = momentum;
    const TensorMap parameters = TinyParameters(), twins = Copy(parameters);
    torch::optim::RMSprop twin(
        Values(twins), torch::optim::RMSpropOptions(1).alpha(0.9).eps(1e-3).momentum(momentum));
    ExpectAgreement<torch::optim::RMSpropOptions>(options, twin, parameters, twins);
  }
}

TEST(Optimizer, LeavesParametersWithoutGradientAlone) {
  for (const OptimizerKind kind : {OptimizerKind::kAdam, OptimizerKind::kSgd,
                                   OptimizerKind::kAdagrad, OptimizerKind::kRmsprop}) {
    const TensorMap parameters = TinyParameters();
    const std::unique_ptr<Optimizer> optimizer = MakeOptimizer(Kind(kind), {{parameters}});
    SetGradients(parameters, 1);
    parameters.at("b").mutable_grad() = torch::Tensor();
    optimizer->Step(0.1);
    const TensorMap before = TinyParameters();
    EXPECT_TRUE(torch::equal(parameters.at("b"), before.at("b")));
    EXPECT_FALSE(torch::equal(parameters.at("a"), before.at("a")));
  }
}

TEST(Optimizer, RestoredOneGoesOnAsTheFirst) {
  const OptimizerOptions options = Kind(OptimizerKind::kAdam);
  const TensorMap parameters = TinyParameters();
  const std::unique_ptr<Optimizer> first = MakeOptimizer(options, {{parameters}});
  for (int64_t update = 1; update <= 3; ++update) {
    SetGradients(parameters, update);
    first->Step(0.1);
  }
  const TensorMap others = Copy(parameters);
  const std::unique_ptr<Optimizer> second = MakeOptimizer(options, {{others}});
  ASSERT_TRUE(AssignTensors(Copy(first->State()), "file", second->State()).ok());
  for (int64_t update = 4; update <= 6; ++update) {
    for (const TensorMap* map : {&parameters, &others}) SetGradients(*map, update);
    first->Step(0.1);
    second->Step(0.1);
  }
  EXPECT_EQ(LargestDifference(parameters, others), 0);
  EXPECT_EQ(LargestDifference(first->State(), second->State()), 0);
}

TEST(Optimizer, StateIsNamedAfterTheParameters) {
  const TensorMap state = MakeOptimizer(Kind(OptimizerKind::kAdam), {{TinyParameters()}})->State();
  EXPECT_EQ(state.size(), 9u);
  for (const char* name : {"mean.a", "square.a", "mean.scale", "square.scale"})
    EXPECT_EQ(state.count(name), 1u);
  EXPECT_EQ(state.at("mean.a").sizes(), (std::vector<int64_t>{3, 2}));
}

TEST(Optimizer, GradientScaleIsAFactorOfTheGradients) {
  for (const OptimizerKind kind :
       {OptimizerKind::kAdam, OptimizerKind::kAdamW, OptimizerKind::kSgd}) {
    const TensorMap parameters = TinyParameters();
    const TensorMap others = Copy(parameters);
    const std::unique_ptr<Optimizer> optimizer = MakeOptimizer(Kind(kind), {{parameters}});
    const std::unique_ptr<Optimizer> other = MakeOptimizer(Kind(kind), {{others}});
    for (int64_t update = 1; update <= 3; ++update) {
      for (const TensorMap* map : {&parameters, &others}) SetGradients(*map, update);
      for (auto& [name, parameter] : others) parameter.mutable_grad().mul_(0.25);
      optimizer->Step(0.1, 0.25);
      other->Step(0.1);
    }
    EXPECT_LT(LargestDifference(parameters, others), 1e-12);
  }
}

TEST(Optimizer, ShareOfTheRateIsASmallerRate) {
  for (const OptimizerKind kind :
       {OptimizerKind::kAdam, OptimizerKind::kAdamW, OptimizerKind::kSgd}) {
    for (const torch::ScalarType type : {torch::kFloat32, torch::kFloat64}) {
      TensorMap parameters;
      for (const auto& [name, tensor] : TinyParameters()) {
        parameters.emplace(name, tensor.detach().to(type).requires_grad_());
      }
      const TensorMap whole = Copy(parameters);
      const TensorMap quarter = Copy(parameters);
      const auto optimizer = MakeOptimizer(
          Kind(kind),
          {{{{"a", parameters.at("a")}}}, {{{"b", parameters.at("b")}}, /*rate_share=*/0.25}});
      const auto whole_optimizer = MakeOptimizer(Kind(kind), {{whole}});
      const auto quarter_optimizer = MakeOptimizer(Kind(kind), {{quarter}});
      for (int64_t update = 1; update <= 3; ++update) {
        for (const TensorMap& each : {parameters, whole, quarter}) SetGradients(each, update);
        optimizer->Step(0.1);
        whole_optimizer->Step(0.1);
        quarter_optimizer->Step(0.025);
      }
      EXPECT_LT(MaxDifference(parameters.at("a"), whole.at("a")), 1e-7);
      EXPECT_LT(MaxDifference(parameters.at("b"), quarter.at("b")), 1e-6);
      EXPECT_GT(MaxDifference(parameters.at("b"), whole.at("b")), 1e-3);
    }
  }
}

TEST(Adam, ParameterThatComesLateStartsAsAFreshOne) {
  for (const torch::ScalarType type : {torch::kFloat32, torch::kFloat64}) {
    TensorMap late;
    for (const auto& [name, tensor] : TinyParameters())
      late.emplace(name, tensor.detach().to(type).requires_grad_());
    const TensorMap fresh = Copy(late);
    const auto late_optimizer = MakeOptimizer(Kind(OptimizerKind::kAdam), {{late}});
    const auto fresh_optimizer = MakeOptimizer(Kind(OptimizerKind::kAdam), {{fresh}});
    for (int64_t update = 1; update <= 100; ++update) late_optimizer->Step(0.1);  // Not of these.
    for (int64_t update = 1; update <= 3; ++update) {
      for (const TensorMap& each : {late, fresh}) SetGradients(each, update);
      late_optimizer->Step(0.1);
      fresh_optimizer->Step(0.1);
    }
    EXPECT_EQ(LargestDifference(late, fresh), 0);
  }
}

TEST(AdamW, AgreesWithTorchAdamW) {
  OptimizerOptions options = Kind(OptimizerKind::kAdamW);
  options.weight_decay = 0.3;
  const TensorMap parameters = TinyParameters();
  const TensorMap twin_parameters = Copy(parameters);
  const std::unique_ptr<Optimizer> optimizer = MakeOptimizer(options, {{parameters}});
  torch::optim::AdamW twin(Values(twin_parameters),
                           torch::optim::AdamWOptions(0.1).weight_decay(0.3));
  for (int64_t update = 1; update <= 5; ++update) {
    for (const TensorMap* map : {&parameters, &twin_parameters}) SetGradients(*map, update);
    optimizer->Step(0.1);
    twin.step();
    EXPECT_LT(LargestDifference(parameters, twin_parameters), 1e-12) << update;
  }
}

// Parameters in floats: a matrix of more than one stretch, an embedding, a vector.
TensorMap FloatParameters() {
  torch::manual_seed(2);
  return {{"matrix", torch::randn({300, 257}).requires_grad_()},
          {"embedding", torch::randn({40, 17}).requires_grad_()},
          {"bias", torch::randn({5}).requires_grad_()}};
}

// Gradients, where that of the embedding is sparse; and its rows.
const std::vector<int64_t> kRows = {3, 4, 17, 39};

void SetFloatGradients(const TensorMap& parameters, int64_t update) {
  SetGradients(parameters, update);
  torch::Tensor& gradient = parameters.at("embedding").mutable_grad();
  const torch::Tensor rows = torch::tensor(kRows);
  gradient =
      torch::sparse_coo_tensor(rows.view({1, 4}), gradient.index_select(0, rows), gradient.sizes());
}

TEST(Adam, FusedAgreesWithPlainAlsoForSparseGradients) {
  for (const OptimizerKind kind : {OptimizerKind::kAdam, OptimizerKind::kAdamW}) {
    const TensorMap parameters = FloatParameters();
    const TensorMap plain_parameters = FloatParameters();
    const std::unique_ptr<Optimizer> fused = MakeOptimizer(Kind(kind), {{parameters}});
    const std::unique_ptr<Optimizer> plain = MakeOptimizer(Kind(kind), {{plain_parameters}});
    for (int64_t update = 1; update <= 4; ++update) {
      for (const TensorMap* map : {&parameters, &plain_parameters}) SetFloatGradients(*map, update);
      const double norm = GradientNorm(parameters);
      fused->Step(0.01, 0.5);
      const ComputeGuard guard({.fused = false});
      EXPECT_NEAR(GradientNorm(plain_parameters), norm, 1e-4 * norm);
      plain->Step(0.01, 0.5);
      EXPECT_LT(LargestDifference(parameters, plain_parameters), 1e-5) << update;
    }
    EXPECT_GT(LargestDifference(parameters, FloatParameters()), 0.01);
  }
}

TEST(Adam, LazyLeavesRowsWithoutGradientAlone) {
  if (!UsesKernels(torch::zeros({1}))) GTEST_SKIP() << "built without kernels";
  OptimizerOptions options = Kind(OptimizerKind::kAdam);
  options.lazy = true;
  const TensorMap parameters = FloatParameters();
  const TensorMap exact_parameters = FloatParameters();
  const std::unique_ptr<Optimizer> lazy = MakeOptimizer(options, {{parameters}});
  const std::unique_ptr<Optimizer> exact =
      MakeOptimizer(Kind(OptimizerKind::kAdam), {{exact_parameters}});
  for (const TensorMap* map : {&parameters, &exact_parameters}) SetFloatGradients(*map, 1);
  lazy->Step(0.01);
  exact->Step(0.01);
  // From fresh moments a row without gradient rests in both.
  EXPECT_EQ(LargestDifference(parameters, exact_parameters), 0);
  for (const TensorMap* map : {&parameters, &exact_parameters}) {
    SetFloatGradients(*map, 2);
    torch::Tensor& gradient = map->at("embedding").mutable_grad();
    gradient =
        torch::sparse_coo_tensor(torch::tensor({{5}}), torch::ones({1, 17}), gradient.sizes());
  }
  lazy->Step(0.01);
  exact->Step(0.01);
  const torch::Tensor moved =
      (parameters.at("embedding") - exact_parameters.at("embedding")).abs().sum(1);
  for (int64_t row = 0; row < 40; ++row) {
    const bool had_gradient = std::find(kRows.begin(), kRows.end(), row) != kRows.end();
    EXPECT_EQ(moved[row].item<float>() > 0, had_gradient) << row;
  }
}

}  // namespace
}  // namespace seq2seq
