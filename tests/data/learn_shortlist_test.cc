#include "seq2seq/data/learn_shortlist.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/data/word_pairs.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

using LearnShortlistTest = WordPairsTest;

// Of a vocabulary of 2,000 only the words of the corpus occur.
TEST_F(LearnShortlistTest, HoldsTranslationsFrequentAndNeededTokens) {
  const Shortlist shortlist =
      LearnShortlist(*corpus_, /*outputs=*/{}, source_->size(), /*target_vocab=*/2000,
                     {.translations = 1, .frequent = 2});
  const TokenIds tokens = shortlist.Tokens({Source(3), Source(7)}, {1999, 1500});
  EXPECT_TRUE(std::is_sorted(tokens.begin(), tokens.end()));
  EXPECT_THAT(tokens, UnorderedElementsAre(Target(3), Target(7), kEosId, target_->Encode("the")[0],
                                           1999, 1500));
}

TEST_F(LearnShortlistTest, TheModelsOwnOutputsDecideWhatIsFrequent) {
  const std::vector<TokenIds> outputs = {{Target(9), 1234, 1234, 1234}, {Target(9)}};
  const auto shortlist = [&](int64_t frequent) {
    return LearnShortlist(*corpus_, outputs, source_->size(), /*target_vocab=*/2000,
                          {.translations = 1, .frequent = frequent});
  };
  // Sentences count, not tokens.
  EXPECT_THAT(shortlist(2).Tokens({}, {}), UnorderedElementsAre(kEosId, Target(9)));
  EXPECT_THAT(shortlist(3).Tokens({}, {}), UnorderedElementsAre(kEosId, Target(9), 1234));
  // The rest as in the corpus.
  const int32_t the = target_->Encode("the")[0];
  EXPECT_THAT(shortlist(4).Tokens({}, {}), UnorderedElementsAre(kEosId, Target(9), 1234, the));
}

TEST_F(LearnShortlistTest, TranslationsAreNotAmongTheFrequent) {
  const std::vector<TokenIds> outputs = {{Target(3)}};
  const auto tokens = [&](int64_t frequent) {
    return LearnShortlist(*corpus_, outputs, source_->size(), /*target_vocab=*/2000,
                          {.translations = 1, .frequent = frequent})
        .Tokens({Source(3)}, {});
  };
  EXPECT_THAT(tokens(1), UnorderedElementsAre(kEosId, Target(3)));
  // Another one takes its place.
  EXPECT_THAT(tokens(2), AllOf(SizeIs(3), IsSupersetOf({kEosId, Target(3)})));
}

TEST_F(LearnShortlistTest, TheTailStandsForAllOtherSubwords) {
  const Shortlist shortlist =
      LearnShortlist(*corpus_, /*outputs=*/{}, source_->size(), /*target_vocab=*/2000,
                     {.translations = 1, .frequent = 2, .tail = 5});
  const TailSample& tail = shortlist.tail();
  ASSERT_THAT(tail.tokens, SizeIs(5));
  // Ten words of 20 occurrences, and next to nothing: each stands for two of them.
  double sum = 0;
  for (const float log_weight : tail.log_weights) sum += std::exp(static_cast<double>(log_weight));
  EXPECT_GE(sum, 10);
  for (const int32_t token : shortlist.Tokens({}, {}))
    EXPECT_EQ(std::count(tail.tokens.begin(), tail.tokens.end(), token), 0);
}

}  // namespace
}  // namespace seq2seq
