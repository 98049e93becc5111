#include "seq2seq/search/copy_scorer.h"

#include <cmath>
#include <memory>
#include <vector>

#include "gtest/gtest.h"

#include "seq2seq/source/source.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

// Two rows of one sentence with three columns, whose tokens are 2, 5 and 7.
class FakeScorer : public Scorer {
 public:
  int64_t batch() const override { return 1; }
  StepScores Step(absl::Span<const Extension>) override {
    StepScores step = {{scores_, 2, 3, 3}, normalizers_, tokens_};
    step.copy_logits = copy_logits_;
    return step;
  }
  absl::Span<const float> Attention(size_t) const override { return attention_; }

 private:
  float scores_[6] = {std::log(2.0F), std::log(3.0F), std::log(5.0F), 0, kNever, 0};
  std::vector<float> normalizers_ = {std::log(10.0F), std::log(2.0F)};
  std::vector<int32_t> tokens_ = {kEosId, 5, 7};
  std::vector<float> copy_logits_ = {0, std::log(3.0F)};  // Probabilities 1/2 and 3/4.
  std::vector<float> attention_ = {0.3F, 0.2F, 0.4F, 0.1F};
};

TEST(CopyScorer, AddsTheAttentionToTheProbabilities) {
  SourceInput source;
  source.ids = {5, 6, 5};  // 6 has no column.
  const SourceInput* const sources[] = {&source};
  CopyScorer scorer(std::make_unique<FakeScorer>(), sources);
  const StepScores step = scorer.Step(std::vector<Extension>{{0, 0, 4}, {0, 0, 4}});
  EXPECT_TRUE(step.copy_logits.empty());
  const auto probability = [&](size_t row, int32_t token) {
    const ScoreRow scores = step.row(row);
    return std::exp(*scores.Find(token) - scores.normalizer);
  };
  EXPECT_NEAR(probability(0, kEosId), 0.5 * 0.2 + 0.5 * 0.1, 1e-6);
  EXPECT_NEAR(probability(0, 5), 0.5 * 0.3 + 0.5 * 0.7, 1e-6);
  EXPECT_NEAR(probability(0, 7), 0.5 * 0.5, 1e-6);
  EXPECT_NEAR(probability(1, kEosId), 0.25 * 0.5 + 0.75 * 0.1, 1e-6);
  EXPECT_NEAR(probability(1, 5), 0.75 * 0.7, 1e-6);
  EXPECT_NEAR(probability(1, 7), 0.25 * 0.5, 1e-6);
}

// The token that each of two sentences copies has a column of its own.
class TwoSentences : public Scorer {
 public:
  int64_t batch() const override { return 2; }
  StepScores Step(absl::Span<const Extension>) override {
    StepScores step = {{scores_, 2, 4, 4}, normalizers_, tokens_, row_tokens_};
    step.copy_logits = copy_logits_;
    return step;
  }
  absl::Span<const float> Attention(size_t row) const override {
    return absl::MakeConstSpan(attention_).subspan(3 * row, row == 0 ? 2 : 3);
  }

 private:
  float scores_[8] = {0, 0, 0, 0, 0, 0, 0, 0};
  std::vector<float> normalizers_ = {std::log(2.0F), std::log(4.0F)};
  std::vector<int32_t> tokens_ = {kEosId, 5, 6, 7};
  const std::vector<int32_t> own_ = {5, 7};  // The first row's, in its first two columns.
  std::vector<absl::Span<const int32_t>> row_tokens_ = {own_, {}};
  std::vector<float> copy_logits_ = {0, 0};
  std::vector<float> attention_ = {0.75F, 0.25F, 0, 0.5F, 0.3F, 0.2F};
};

TEST(CopyScorer, CopiesInTheColumnsOfEachSentence) {
  SourceInput first, second;
  first.ids = {7};
  second.ids = {6, 5};
  const SourceInput* const sources[] = {&first, &second};
  CopyScorer scorer(std::make_unique<TwoSentences>(), sources);
  // In the order of rows, of which a sentence may have none or several.
  const StepScores step = scorer.Step(std::vector<Extension>{{0, 0, 4}, {1, 1, 4}});
  const auto probability = [&](size_t row, int32_t token) {
    const ScoreRow scores = step.row(row);
    return std::exp(*scores.Find(token) - scores.normalizer);
  };
  EXPECT_NEAR(probability(0, 5), 0.25, 1e-6);
  EXPECT_NEAR(probability(0, 7), 0.25 + 0.5 * 0.75, 1e-6);
  EXPECT_NEAR(probability(1, kEosId), 0.125 + 0.5 * 0.2, 1e-6);
  EXPECT_NEAR(probability(1, 5), 0.125 + 0.5 * 0.3, 1e-6);
  EXPECT_NEAR(probability(1, 6), 0.125 + 0.5 * 0.5, 1e-6);
  EXPECT_NEAR(probability(1, 7), 0.125, 1e-6);
}

}  // namespace
}  // namespace seq2seq
