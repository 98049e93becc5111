#include "seq2seq/search/fusion_scorer.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/model/model_scorer.h"
#include "seq2seq/search/beam.h"
#include "tests/search/scorer_steps.h"

namespace seq2seq {
namespace {

std::unique_ptr<Scorer> Begin(const ModelOptions& options, const std::vector<int32_t>& tokens) {
  return MakeScoringModel(TinyModel(options, torch::kFloat32), torch::kCPU, Precision::kFp32)
      ->Begin(SourcesOf(RandomSources(3)), tokens);
}

ModelOptions LanguageModel() {
  ModelOptions options = TinyOptions();
  options.source = SourceKind::kNone;
  options.decoder.attention = AttentionKind::kNone;
  return options;
}

TEST(FusionScorer, AddsWeightedLogProbabilities) {
  const torch::NoGradGuard no_grad;
  for (const std::vector<int32_t>& tokens :
       {std::vector<int32_t>{}, std::vector<int32_t>{kEosId, 5, 7}}) {
    const auto model = Begin(TinyOptions(), tokens);
    const auto language_model = Begin(LanguageModel(), tokens);
    FusionScorer fusion(Begin(TinyOptions(), tokens), Begin(LanguageModel(), tokens), 0.3);
    EXPECT_EQ(fusion.batch(), 3);
    for (const std::vector<Extension>& rows :
         {FirstRows(3), std::vector<Extension>{{0, 0, 5}, {2, 2, 7}, {2, 2, 5}}}) {
      const torch::Tensor expected = LogProbs(*model, rows) + 0.3 * LogProbs(*language_model, rows);
      EXPECT_LT(MaxDifference(LogProbs(fusion, rows), expected), 1e-5);
      EXPECT_EQ(MaxDifference(AttentionOf(fusion, 1), AttentionOf(*model, 1)), 0);
    }
  }
}

// A model without a source gives the same scores for every sentence.
TEST(FusionScorer, ALanguageModelDoesNotDependOnTheSource) {
  const torch::NoGradGuard no_grad;
  const auto scorer = Begin(LanguageModel(), {});
  const torch::Tensor found = LogProbs(*scorer, FirstRows(3));
  EXPECT_LT(MaxDifference(found[0], found[2]), 1e-6);
}

}  // namespace
}  // namespace seq2seq
