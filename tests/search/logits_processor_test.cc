#include "seq2seq/search/logits_processor.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/search/forbidden_words.h"
#include "seq2seq/search/vocabulary.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;

constexpr int32_t kA = 4, kB = 5, kAb = 6;
constexpr float kNever = -std::numeric_limits<float>::infinity();

const Vocabulary& Words() {
  static const Vocabulary words(
      std::vector<std::string>{"<pad>", "<unk>", "<s>", "</s>", "▁a", "b", "▁ab"});
  return words;
}

class LogitsProcessorTest : public ::testing::Test {
 protected:
  // The tokens that may follow `generated`.
  std::set<int32_t> Allowed(const TokenIds& generated) const {
    std::vector<float> scores(7, -1);
    LogitsProcessor(options_, task_).Apply(generated, {absl::MakeSpan(scores), 0, {}});
    std::set<int32_t> allowed;
    for (size_t id = 0; id < scores.size(); ++id) {
      if (scores[id] != kNever) allowed.insert(static_cast<int32_t>(id));
    }
    return allowed;
  }

  SearchOptions options_;
  SearchTask task_;
};

TEST_F(LogitsProcessorTest, SpecialTokensNeverFollow) {
  EXPECT_THAT(Allowed({}), ElementsAre(kEosId, kA, kB, kAb));
}

TEST_F(LogitsProcessorTest, EndOfSentenceWaitsForTheMinimumLength) {
  task_.min_length = 2;
  EXPECT_THAT(Allowed({kA}), ElementsAre(kA, kB, kAb));
  EXPECT_THAT(Allowed({kA, kA}), ElementsAre(kEosId, kA, kB, kAb));
}

TEST_F(LogitsProcessorTest, ForcesThePrefixAndTheEndAtTheMaximumLength) {
  task_.prefix = {kAb, kB};
  task_.max_length = 3;
  const LogitsProcessor rules(options_, task_);
  EXPECT_EQ(rules.Forced(0), kAb);
  EXPECT_EQ(rules.Forced(1), kB);
  EXPECT_EQ(rules.Forced(2), std::nullopt);
  EXPECT_EQ(rules.Forced(3), kEosId);
}

TEST_F(LogitsProcessorTest, PrefixAndConstraintsAlwaysHaveRoom) {
  task_.prefix = {kA, kB};
  task_.constraints = {{kA, kB}, {kAb}};
  task_.max_length = 1;
  EXPECT_EQ(LogitsProcessor(options_, task_).max_length(), 5);
}

TEST_F(LogitsProcessorTest, AWordBoundaryFollowsAWholePrefix) {
  task_.prefix = {kA};
  task_.vocabulary = &Words();
  task_.whole_prefix = true;
  EXPECT_THAT(Allowed({kA}), ElementsAre(kEosId, kA, kAb));
  EXPECT_THAT(Allowed({kA, kA}), ElementsAre(kEosId, kA, kB, kAb));
  const LogitsProcessor rules(options_, task_);
  EXPECT_TRUE(rules.Bars({kA}, kB));
  EXPECT_FALSE(rules.Bars({kA}, kAb));
  EXPECT_FALSE(rules.Bars({kA, kA}, kB));
}

TEST_F(LogitsProcessorTest, AForbiddenWordMayBeginALongerOneWhereSearchCanBacktrack) {
  const ForbiddenWords forbidden(std::vector<TokenIds>{{kAb}}, Words(), /*whole_words=*/true);
  task_.forbidden = &forbidden;
  EXPECT_THAT(Allowed({}), ElementsAre(kEosId, kA, kB, kAb));
  EXPECT_THAT(Allowed({kAb}), ElementsAre(kB));
  options_.beam = 1;
  EXPECT_THAT(Allowed({}), ElementsAre(kEosId, kA, kB));
  EXPECT_THAT(Allowed({kA}), ElementsAre(kEosId, kA));
  EXPECT_TRUE(LogitsProcessor(options_, task_).Bars({kAb}, kA));
}

TEST_F(LogitsProcessorTest, AForbiddenWordDoesNotBeginWhereOnlyTheEndHasRoom) {
  const ForbiddenWords forbidden(std::vector<TokenIds>{{kAb}}, Words(), /*whole_words=*/true);
  task_.forbidden = &forbidden;
  task_.max_length = 2;
  EXPECT_THAT(Allowed({kA}), ElementsAre(kEosId, kA));
}

TEST_F(LogitsProcessorTest, BlocksNGrams) {
  options_.no_repeat_ngram = 2;
  EXPECT_THAT(Allowed({kA}), ElementsAre(kEosId, kA, kB, kAb));
  EXPECT_THAT(Allowed({kA, kB, kA}), ElementsAre(kEosId, kA, kAb));
  EXPECT_THAT(Allowed({kA, kB, kA, kA}), ElementsAre(kEosId, kAb));
  options_.no_repeat_ngram = 1;
  EXPECT_THAT(Allowed({kA, kB}), ElementsAre(kEosId, kAb));
}

TEST_F(LogitsProcessorTest, RepetitionPenaltyIsAFactorOnTheLogProbability) {
  options_.repetition_penalty = 1.5;
  std::vector<float> scores = {0, 0, 0, -1, -1, -1, -1};
  const LogitsProcessor rules(options_, task_);
  rules.Apply({kA, kB, kA}, {absl::MakeSpan(scores), /*normalizer=*/1, {}});
  // Log-probabilities of -2, which become -3.
  EXPECT_THAT(scores, ElementsAre(kNever, kNever, kNever, -1, -2, -2, -1));
  EXPECT_EQ(rules.Penalty({kA, kB}, kB), 1.5);
  EXPECT_EQ(rules.Penalty({kA, kB}, kAb), 1);
  options_.repetition_penalty = 1;
  EXPECT_EQ(rules.Penalty({kA, kB}, kB), 1);
}

TEST_F(LogitsProcessorTest, RulesOfTokensOutsideTheShortlistHaveNoEffect) {
  options_.no_repeat_ngram = 1;
  std::vector<float> scores = {-1, -1};
  const std::vector<int32_t> tokens = {kEosId, kB};
  LogitsProcessor(options_, task_).Apply({kA, kAb}, {absl::MakeSpan(scores), 0, tokens});
  EXPECT_THAT(scores, ElementsAre(-1, -1));
  LogitsProcessor(options_, task_).Apply({kB}, {absl::MakeSpan(scores), 0, tokens});
  EXPECT_THAT(scores, ElementsAre(-1, kNever));
}

}  // namespace
}  // namespace seq2seq
