#include "seq2seq/model/loss.h"

#include <cmath>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

TEST(SelectTokens, TakesTokensSentenceAfterSentenceAndNoPadding) {
  const Batch batch = MakeBatch({{{4}, {5, 6}}, {{4}, {}}, {{4}, {7}}});
  EXPECT_TRUE(
      torch::equal(SelectTokens(batch.target_output, batch),
                   torch::tensor({5, 6, int{kEosId}, int{kEosId}, 7, int{kEosId}}, torch::kInt64)));
  const torch::Tensor values = torch::rand({3, 3, 2});
  const torch::Tensor selected = SelectTokens(values, batch);
  ASSERT_EQ(selected.sizes(), (std::vector<int64_t>{6, 2}));
  EXPECT_TRUE(torch::equal(selected[3], values[1][0]));
  EXPECT_TRUE(torch::equal(selected[5], values[2][1]));
}

TEST(SelectTokens, WithoutPaddingTakesAll) {
  const Batch batch = MakeBatch({{{4}, {5, 6}}, {{4}, {7, 8}}});
  const torch::Tensor values = torch::rand({2, 3, 2});
  EXPECT_TRUE(torch::equal(SelectTokens(values, batch), values.view({6, 2})));
}

TEST(CrossEntropy, AgreesWithItsFormula) {
  const Batch batch = MakeBatch({{{4}, {5, 6}}, {{4}, {}}, {{4}, {7}}});
  const torch::Tensor truth = SelectTokens(batch.target_output, batch);
  torch::manual_seed(1);
  constexpr int64_t kVocab = 9;
  const torch::Tensor logits = 3 * torch::randn({6, kVocab}, torch::kFloat64);
  for (const double smoothing : {0.0, 0.1, 0.5}) {
    double objective = 0, nll = 0, correct = 0;
    for (int64_t token = 0; token < 6; ++token) {
      double sum = 0;
      for (int64_t id = 0; id < kVocab; ++id) sum += std::exp(logits[token][id].item<double>());
      int64_t best = 0;
      for (int64_t id = 0; id < kVocab; ++id) {
        const double log_prob = logits[token][id].item<double>() - std::log(sum);
        const bool is_truth = id == truth[token].item<int64_t>();
        const double share = (is_truth ? 1 - smoothing : 0) + smoothing / kVocab;
        objective -= share * log_prob;
        if (is_truth) nll -= log_prob;
        if ((logits[token][id] > logits[token][best]).item<bool>()) best = id;
      }
      if (best == truth[token].item<int64_t>()) ++correct;
    }
    const Loss loss = CrossEntropy(logits, batch, smoothing);
    EXPECT_NEAR(loss.objective.item<double>(), objective, 1e-10);
    EXPECT_NEAR(loss.nll.item<double>(), nll, 1e-10);
    EXPECT_EQ(loss.correct.item<double>(), correct);
  }
}

TEST(CrossEntropy, CountsTokensThatScoreHighest) {
  const Batch batch = MakeBatch({{{4}, {5, 6}}, {{4}, {7}}});
  torch::Tensor logits = torch::zeros({5, 9});
  logits[0][5] = 1;       // Right.
  logits[1][5] = 1;       // Wrong.
  logits[2][kEosId] = 1;  // Right.
  logits[3][7] = 1;       // Right.
  logits[4][4] = 1;       // Wrong.
  EXPECT_EQ(CrossEntropy(logits, batch, 0.1).correct.item<int64_t>(), 3);
}

TEST(CrossEntropy, ObjectiveAloneCarriesGradient) {
  const Batch batch = MakeBatch({{{4}, {5}}});
  const torch::Tensor logits = torch::rand({2, 9}).requires_grad_();
  const Loss loss = CrossEntropy(logits, batch, 0.1);
  EXPECT_TRUE(loss.objective.requires_grad());
  EXPECT_FALSE(loss.nll.requires_grad());
  EXPECT_FALSE(loss.correct.requires_grad());
}

}  // namespace
}  // namespace seq2seq
