#include "seq2seq/search/sentence_beam.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int32_t kA = 4, kB = 5, kC = 6;

// Log-probabilities by token: special tokens, end of sentence, and the words a, b, c.
using Row = std::vector<float>;
Row Scores(float end, float a, float b, float c) { return {-9, -9, -9, end, a, b, c}; }

class SentenceBeamTest : public ::testing::Test {
 protected:
  SentenceBeamTest() {
    options_.beam = options_.n_best = 2;
    options_.normalization = LengthNormalization::kNone;
  }

  std::vector<Continuation> Expand(const SentenceBeam& beam, size_t row, Row scores) const {
    return beam.Expand(row, {absl::MakeSpan(scores), /*normalizer=*/0, {}});
  }

  // One time step, with the scores of each live hypothesis.
  void Advance(SentenceBeam& beam, const std::vector<Row>& scores) const {
    ASSERT_EQ(scores.size(), beam.size());
    std::vector<std::vector<Continuation>> continuations;
    for (size_t row = 0; row < scores.size(); ++row)
      continuations.push_back(Expand(beam, row, scores[row]));
    beam.Advance(continuations, [](size_t) { return absl::Span<const float>(); });
  }

  SearchOptions options_;
  SearchTask task_;
};

std::vector<int32_t> Tokens(const std::vector<Continuation>& continuations) {
  std::vector<int32_t> tokens;
  for (const Continuation& continuation : continuations) tokens.push_back(continuation.token);
  return tokens;
}

TEST_F(SentenceBeamTest, ExpandsIntoTwiceTheBeamBestFirst) {
  options_.beam = 1;
  const SentenceBeam beam(options_, task_);
  const std::vector<Continuation> found = Expand(beam, 0, Scores(-3, -2, -1, -4));
  EXPECT_THAT(Tokens(found), ElementsAre(kB, kA));
  EXPECT_EQ(found[0].score, -1);
  EXPECT_EQ(found[0].total, -1);
}

TEST_F(SentenceBeamTest, KeepsTheBestOfAllHypotheses) {
  SentenceBeam beam(options_, task_);
  ASSERT_EQ(beam.size(), 1u);
  Advance(beam, {Scores(-9, -1, -2, -3)});
  ASSERT_EQ(beam.size(), 2u);
  EXPECT_EQ(beam.last_token(0), kA);
  EXPECT_EQ(beam.last_token(1), kB);
  // Totals: a c -4, a a -6; b b -2.5, b a -3.
  Advance(beam, {Scores(-9, -5, -8, -3), Scores(-9, -1, -0.5F, -8)});
  ASSERT_EQ(beam.size(), 2u);
  EXPECT_EQ(beam.parent(0), 1u);
  EXPECT_EQ(beam.last_token(0), kB);
  EXPECT_EQ(beam.parent(1), 1u);
  EXPECT_EQ(beam.last_token(1), kA);
  EXPECT_FALSE(beam.has_finished());
}

TEST_F(SentenceBeamTest, IsDoneWithAsManyFinishedHypothesesAsItsWidth) {
  SentenceBeam beam(options_, task_);
  Advance(beam, {Scores(-1, -2, -3, -4)});
  EXPECT_TRUE(beam.has_finished());
  EXPECT_FALSE(beam.done());
  ASSERT_EQ(beam.size(), 2u);
  Advance(beam, {Scores(-0.25F, -5, -5, -5), Scores(-9, -9, -9, -9)});
  EXPECT_TRUE(beam.done());
  const std::vector<Hypothesis> found = std::move(beam).NBest();
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].tokens, IsEmpty());
  EXPECT_EQ(found[0].score, -1);
  EXPECT_THAT(found[1].tokens, ElementsAre(kA));
  EXPECT_EQ(found[1].score, -2.25);
}

TEST_F(SentenceBeamTest, AnEndBeyondTheWidthDoesNotFinish) {
  SentenceBeam beam(options_, task_);
  Advance(beam, {Scores(-3, -1, -2, -4)});
  EXPECT_FALSE(beam.has_finished());
}

TEST_F(SentenceBeamTest, ExactStoppingGoesOnWhileAHypothesisCanWin) {
  options_.beam = options_.n_best = 1;
  options_.stopping = Stopping::kExact;
  options_.normalization = LengthNormalization::kAverage;
  SentenceBeam beam(options_, task_);
  Advance(beam, {Scores(-1, -1.5F, -9, -9)});
  EXPECT_TRUE(beam.has_finished());
  ASSERT_FALSE(beam.done());
  Advance(beam, {Scores(-0.25F, -9, -9, -9)});
  Advance(beam, {Scores(-9, -300, -300, -300)});
  EXPECT_TRUE(beam.done());
  EXPECT_THAT(std::move(beam).NBest()[0].tokens, ElementsAre(kA));  // Average of -0.875.
}

TEST_F(SentenceBeamTest, ConstraintsComeFirstAndTheEndWaitsForThem) {
  task_.constraints = {{kC}};
  SentenceBeam beam(options_, task_);
  Advance(beam, {Scores(-0.5F, -1, -2, -8)});
  EXPECT_FALSE(beam.has_finished());
  ASSERT_EQ(beam.size(), 2u);
  EXPECT_EQ(beam.last_token(0), kC);  // The bank with most constraint tokens.
  EXPECT_EQ(beam.last_token(1), kA);
  Advance(beam, {Scores(-1, -3, -3, -3), Scores(-1, -3, -3, -30)});
  ASSERT_TRUE(beam.has_finished());
  EXPECT_THAT(std::move(beam).NBest()[0].tokens, ElementsAre(kC));
}

TEST_F(SentenceBeamTest, GroupsAreExpandedSideBySide) {
  options_.groups = 2;
  options_.diversity = 10;
  SentenceBeam beam(options_, task_);
  ASSERT_EQ(beam.size(), 2u);
  Advance(beam, {Scores(-9, -1, -2, -3), Scores(-9, -1, -2, -3)});
  ASSERT_EQ(beam.size(), 2u);
  EXPECT_EQ(beam.last_token(0), kA);
  EXPECT_EQ(beam.last_token(1), kB);  // The first group chose a.
}

TEST_F(SentenceBeamTest, WhatAllHypothesesShareIsCertain) {
  SentenceBeam beam(options_, task_);
  Advance(beam, {Scores(-9, -1, -2, -8)});
  EXPECT_THAT(beam.CertainTokens(0), IsEmpty());  // a, b.
  Advance(beam, {Scores(-9, -1, -2, -8), Scores(-9, -8, -8, -8)});
  EXPECT_THAT(beam.CertainTokens(0), ElementsAre(kA));  // a a, a b.
  Advance(beam, {Scores(-1, -2, -8, -8), Scores(-9, -1, -9, -9)});
  ASSERT_TRUE(beam.has_finished());  // a a; live: a a a, a b a.
  EXPECT_THAT(beam.CertainTokens(1), ElementsAre(kA));
}

TEST_F(SentenceBeamTest, OnlyTheBestFinishedHypothesisMakesTokensUncertain) {
  options_.beam = options_.n_best = 3;
  SentenceBeam beam(options_, task_);
  Advance(beam, {Scores(-1.5F, -0.5F, -9, -9)});
  ASSERT_TRUE(beam.has_finished());  // The empty one; live: a, b, c.
  EXPECT_THAT(beam.CertainTokens(0), IsEmpty());
  const Row worse = Scores(-99, -99, -99, -99);
  Advance(beam, {Scores(-0.5F, -0.6F, -9, -9), worse, worse});
  ASSERT_FALSE(beam.done());  // a, better than the empty one; live: a a, a b, a c.
  EXPECT_THAT(beam.CertainTokens(0), ElementsAre(kA));
}

TEST_F(SentenceBeamTest, EndsWhereNoTokenIsAllowed) {
  constexpr float kNever = -INFINITY;
  SentenceBeam beam(options_, task_);
  Advance(beam, {Scores(kNever, kNever, kNever, kNever)});
  EXPECT_TRUE(beam.done());
  EXPECT_THAT(std::move(beam).NBest(), SizeIs(1));
}

}  // namespace
}  // namespace seq2seq
