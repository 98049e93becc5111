#include "seq2seq/search/ensemble_scorer.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/search/beam.h"
#include "seq2seq/search/model_scorer.h"
#include "tests/tiny_model.h"

namespace seq2seq {
namespace {

Batch Sources() {
  Batch batch = MakeBatch(RandomPairs(TinyOptions(), {{4, 1}, {2, 1}, {6, 1}}));
  return batch;
}

std::unique_ptr<Scorer> Member(uint64_t seed) {
  return std::make_unique<ModelScorer>(TinyModel(TinyOptions(), torch::kFloat32, seed), Sources());
}

std::unique_ptr<EnsembleScorer> Ensemble(const std::vector<uint64_t>& seeds) {
  std::vector<std::unique_ptr<Scorer>> members;
  for (const uint64_t seed : seeds) members.push_back(Member(seed));
  return std::make_unique<EnsembleScorer>(std::move(members));
}

TEST(EnsembleScorer, AveragesProbabilities) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor start = torch::full({3}, kBosId, torch::kInt64);
  const torch::Tensor tokens = torch::tensor({4, 5, 6}, torch::kInt64);
  const auto ensemble = Ensemble({1, 2, 3});
  std::vector<std::unique_ptr<Scorer>> members;
  for (const uint64_t seed : {1, 2, 3}) members.push_back(Member(seed));
  for (const torch::Tensor& step : {start, tokens}) {
    torch::Tensor sum = torch::zeros({3, 9});
    for (const auto& member : members) sum += member->Step(step).exp();
    EXPECT_LT(MaxDifference(ensemble->Step(step).exp(), sum / 3), 1e-6);
    // Turned around, all of them.
    const torch::Tensor order = torch::tensor({2, 0, 1}, torch::kInt64);
    ensemble->Select(order, order);
    for (const auto& member : members) member->Select(order, order);
  }
}

TEST(EnsembleScorer, OfOneModelThriceAgreesWithTheModel) {
  const torch::NoGradGuard no_grad;
  const std::vector<int64_t> lengths = {8, 8, 8};
  const auto alone = BeamSearch(*Member(1), lengths, {});
  const auto thrice = BeamSearch(*Ensemble({1, 1, 1}), lengths, {});
  for (size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(alone[i][0].tokens, thrice[i][0].tokens);
    EXPECT_NEAR(alone[i][0].score, thrice[i][0].score, 1e-5);
  }
}

}  // namespace
}  // namespace seq2seq
