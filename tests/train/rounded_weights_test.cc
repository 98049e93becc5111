#include "seq2seq/train/rounded_weights.h"

#include <optional>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/weights/quantized_weights.h"
#include "tests/train/trainer_fixture.h"

namespace seq2seq {
namespace {

// The parameters as int8 stores them.
TensorMap Quantized(const TensorMap& parameters) {
  const auto restored =
      DequantizeWeights(QuantizeWeights(ToArrays(parameters), Precision::kInt8), "parameters");
  EXPECT_TRUE(restored.ok()) << restored.status();
  return ToTensors(*restored);
}

TEST(RoundedWeights, AreThoseThatAreStoredWhileTheyAreInPlace) {
  torch::manual_seed(1);
  const TensorMap parameters = {{"matrix", torch::randn({7, 33}).requires_grad_()},
                                {"zero", torch::zeros({3, 5}).requires_grad_()},
                                {"bias", torch::randn({33}).requires_grad_()}};
  TensorMap before;
  for (const auto& [name, parameter] : parameters) before.emplace(name, parameter.detach().clone());
  const TensorMap expected = Quantized(before);
  std::optional<RoundedWeights> rounded(parameters);
  for (int times = 0; times < 2; ++times) {
    {
      const RoundedInPlace in_place(rounded);
      for (const auto& [name, parameter] : parameters)
        EXPECT_TRUE(parameter.equal(expected.at(name))) << name;
      EXPECT_FALSE(parameters.at("matrix").equal(before.at("matrix")));
    }
    for (const auto& [name, parameter] : parameters)
      EXPECT_TRUE(parameter.equal(before.at(name))) << name;
  }
}

// The first update of plain gradient descent shows the gradient.
TEST_F(TrainerTest, GradientsOfRoundedWeightsAreAppliedToTheExactOnes) {
  options_.optimizer.kind = OptimizerKind::kSgd;
  options_.optimizer.clip_norm = 0;
  options_.max_updates = 1;
  const auto change_from = [&](const Model& model) {
    TensorMap change;
    for (const auto& [name, parameter] : Parameters(*model))
      change.emplace(name, -parameter.detach().clone());
    auto trainer = Trainer::Create(options_, buckets_, model, torch::kCPU, train_, valid_, {});
    EXPECT_TRUE(trainer.ok() && (*trainer)->Run().ok());
    for (const auto& [name, parameter] : Parameters(*model)) change.at(name) += parameter.detach();
    return change;
  };
  Model model = MakeModel();
  ASSERT_TRUE(AssignTensors(Quantized(Parameters(*model)), "", Parameters(*model)).ok());
  const TensorMap expected = change_from(model);
  options_.quantize = WeightRounding::kInt8;
  const TemporaryFolder other;
  options_.run = other.path();
  for (const auto& [name, change] : change_from(MakeModel()))
    EXPECT_LT(MaxDifference(change, expected.at(name)), 1e-6) << name;
}

TEST_F(TrainerTest, RoundedWeightsAreValidatedAndExactOnesSaved) {
  options_.quantize = WeightRounding::kInt8;
  options_.max_updates = 4;
  Model model = MakeModel();
  auto trainer = Trainer::Create(options_, buckets_, model, torch::kCPU, train_, valid_, {});
  ASSERT_TRUE(trainer.ok() && (*trainer)->Run().ok());
  const double loss = (*trainer)->state().validations.back().metrics.at("loss");
  const TensorMap exact = Parameters(*model);
  const auto saved = ReadTensors(folder_ / "step-4/model.safetensors");
  ASSERT_TRUE(saved.ok());
  for (const auto& [name, parameter] : exact) EXPECT_TRUE(parameter.equal(saved->at(name))) << name;
  const TensorMap rounded = Quantized(exact);
  EXPECT_FALSE(rounded.at("decoder.embedding.weight").equal(exact.at("decoder.embedding.weight")));

  ASSERT_TRUE(AssignTensors(rounded, "", exact).ok());
  model->eval();
  double nll = 0;
  int64_t tokens = 0;
  for (int64_t i = 0; i < valid_.size(); ++i) {
    const Batch batch = Collate({valid_[i]});
    nll += model->ComputeLoss(batch, TeacherForcing()).nll.item<double>();
    tokens += batch.target_tokens;
  }
  EXPECT_NEAR(loss, nll / static_cast<double>(tokens), 1e-5);
}

}  // namespace
}  // namespace seq2seq
