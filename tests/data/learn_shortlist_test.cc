#include "seq2seq/data/learn_shortlist.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/data/word_pairs.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

using ::testing::Contains;
using ::testing::Not;
using ::testing::SizeIs;

using LearnShortlistTest = WordPairsTest;

// Of a vocabulary of 2,000 only the words of the corpus occur.
TEST_F(LearnShortlistTest, HoldsTranslationsFrequentAndNeededTokens) {
  const Shortlist shortlist = LearnShortlist(*corpus_, source_->size(), /*target_vocab=*/2000,
                                             {.translations = 1, .frequent = 2});
  const std::vector<int32_t> source = {Source(3), Source(7)};
  const std::vector<absl::Span<const int32_t>> sources = {source};
  const TokenIds tokens = shortlist.Tokens(sources, {1999, 1500});
  EXPECT_THAT(tokens, SizeIs(256));
  EXPECT_TRUE(std::is_sorted(tokens.begin(), tokens.end()));
  for (const int32_t token :
       {Target(3), Target(7), kEosId, target_->Encode("the")[0], 1999, 1500}) {
    EXPECT_THAT(tokens, Contains(token));
  }
  EXPECT_THAT(tokens, Not(Contains(1000)));
}

}  // namespace
}  // namespace seq2seq
