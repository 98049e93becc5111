#include "seq2seq/search/ensemble_scorer.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/model/model_scorer.h"
#include "seq2seq/search/beam.h"
#include "tests/search/scorer_steps.h"

namespace seq2seq {
namespace {

std::unique_ptr<Scorer> Member(uint64_t seed) {
  ModelOptions options = TinyOptions();
  if (seed == 2) options.decoder.cell = CellKind::kGru;  // Members may differ.
  return MakeScoringModel(TinyModel(options, torch::kFloat32, seed), torch::kCPU, Precision::kFp32)
      ->Begin(MakeBatch(RandomPairs(TinyOptions(), {{4, 1}, {2, 1}, {6, 1}})), {});
}

std::unique_ptr<EnsembleScorer> Ensemble(const std::vector<uint64_t>& seeds, EnsembleMean mean) {
  std::vector<std::unique_ptr<Scorer>> members;
  for (const uint64_t seed : seeds) members.push_back(Member(seed));
  return std::make_unique<EnsembleScorer>(std::move(members), mean);
}

TEST(EnsembleScorer, AveragesProbabilitiesOrTheirLogs) {
  const torch::NoGradGuard no_grad;
  const std::vector<Extension> steps[] = {
      FirstRows(3), {{0, 0, 4}, {1, 1, 5}, {2, 2, 6}}, {{0, 0, 4}, {2, 2, 8}, {2, 2, 6}}};
  for (const EnsembleMean mean : {EnsembleMean::kProbability, EnsembleMean::kLogProbability}) {
    const auto ensemble = Ensemble({1, 2, 3}, mean);
    std::vector<std::unique_ptr<Scorer>> members;
    for (const uint64_t seed : {1, 2, 3}) members.push_back(Member(seed));
    for (const std::vector<Extension>& rows : steps) {
      torch::Tensor sum = torch::zeros({3, 9});
      for (const auto& member : members) {
        const torch::Tensor log_probs = LogProbs(*member, rows);
        sum += mean == EnsembleMean::kProbability ? log_probs.exp() : log_probs;
      }
      const torch::Tensor expected =
          mean == EnsembleMean::kProbability ? sum / 3 : torch::softmax(sum / 3, 1);
      EXPECT_LT(MaxDifference(LogProbs(*ensemble, rows).exp(), expected), 1e-6);
    }
  }
}

TEST(EnsembleScorer, OfOneModelThriceAgreesWithTheModel) {
  const torch::NoGradGuard no_grad;
  std::vector<SearchTask> tasks(3);
  for (SearchTask& task : tasks) task.max_length = 8;
  const auto alone = BeamSearch(*Member(1), tasks, {});
  for (const EnsembleMean mean : {EnsembleMean::kProbability, EnsembleMean::kLogProbability}) {
    const auto thrice = BeamSearch(*Ensemble({1, 1, 1}, mean), tasks, {});
    for (size_t i = 0; i < alone.size(); ++i) {
      EXPECT_EQ(alone[i][0].tokens, thrice[i][0].tokens);
      EXPECT_NEAR(alone[i][0].score, thrice[i][0].score, 1e-5);
    }
  }
}

}  // namespace
}  // namespace seq2seq
