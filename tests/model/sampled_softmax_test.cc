#include "seq2seq/model/sampled_softmax.h"

#include <cstdint>

#include "gtest/gtest.h"
#include <torch/torch.h>

namespace seq2seq {
namespace {

TEST(SampleVocabulary, HasTheReferencesAndASample) {
  torch::manual_seed(1);
  const torch::Tensor references = torch::tensor({{7, 3, 0}, {30, 7, 3}});
  const SampledVocabulary sampled = SampleVocabulary(references, 50, 10);
  ASSERT_EQ(sampled.tokens.size(0), 4 + 10);  // Padding, 3, 7, 30.
  EXPECT_EQ(sampled.tokens[0].item<int64_t>(), 0);
  EXPECT_TRUE(sampled.tokens.slice(0, 1).gt(sampled.tokens.slice(0, 0, -1)).all().item<bool>());
  const torch::Tensor back =
      sampled.tokens.index_select(0, sampled.references.flatten()).view({2, 3});
  EXPECT_TRUE(torch::equal(back, references));
  EXPECT_EQ(sampled.corrections.eq(0).sum().item<int64_t>(), 4);
}

TEST(SampleVocabulary, OfAsManyAsThereAreIsAllOfThem) {
  const SampledVocabulary sampled = SampleVocabulary(torch::tensor({{7, 3}}), 50, 50);
  EXPECT_TRUE(torch::equal(sampled.tokens, torch::arange(50)));
  EXPECT_EQ(sampled.corrections.abs().max().item<double>(), 0);
}

// The mean of the estimates of the normaliser, within three standard errors.
TEST(SampleVocabulary, EstimatesTheNormaliser) {
  torch::manual_seed(1);
  const torch::Tensor logits = torch::randn({200}, torch::kFloat64);
  const double exact = logits.exp().sum().item<double>();
  const torch::Tensor references = torch::tensor({{7, 3, 30}});
  constexpr int kDraws = 2000;
  double sum = 0, squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const SampledVocabulary sampled = SampleVocabulary(references, 200, 20);
    const double estimate =
        (logits.index_select(0, sampled.tokens) + sampled.corrections).exp().sum().item<double>();
    sum += estimate;
    squares += estimate * estimate;
  }
  const double mean = sum / kDraws;
  const double error = std::sqrt((squares / kDraws - mean * mean) / kDraws);
  EXPECT_NEAR(mean, exact, 3 * error);
  EXPECT_LT(error, 0.05 * exact);
}

}  // namespace
}  // namespace seq2seq
