#include "seq2seq/search/fusion_scorer.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/search/toy_scorer.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;

std::unique_ptr<Scorer> Model() {
  return std::make_unique<ToyScorer>(Toy(), std::vector<uint64_t>{1, 2, 3});
}

std::unique_ptr<Scorer> LanguageModel() {
  Toy toy;
  toy.turn = 1;  // Its attention weights differ.
  return std::make_unique<ToyScorer>(toy, std::vector<uint64_t>{9, 9, 9});
}

TEST(FusionScorer, AddsWeightedLogProbabilities) {
  const auto model = Model();
  const auto language_model = LanguageModel();
  FusionScorer fusion(Model(), LanguageModel(), 0.3);
  EXPECT_EQ(fusion.batch(), 3);
  for (const std::vector<Extension>& rows :
       {FirstRows(3), std::vector<Extension>{{0, 0, 5}, {2, 2, 6}, {2, 2, 5}}}) {
    const auto of_model = LogProbsOf(*model, rows);
    const auto of_language = LogProbsOf(*language_model, rows);
    const auto fused = LogProbsOf(fusion, rows);
    ASSERT_EQ(fused.size(), rows.size());
    for (size_t row = 0; row < rows.size(); ++row) {
      for (size_t id = 0; id < Toy().vocab; ++id)
        EXPECT_NEAR(fused[row][id], of_model[row][id] + 0.3F * of_language[row][id], 1e-5);
    }
  }
}

TEST(FusionScorer, AttendsAsTheModel) {
  FusionScorer fusion(Model(), LanguageModel(), 0.3);
  fusion.Step(FirstRows(3));
  EXPECT_THAT(fusion.Attention(1), ElementsAre(0, 0, 1));  // kBosId is 2.
}

}  // namespace
}  // namespace seq2seq
