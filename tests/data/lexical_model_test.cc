#include "seq2seq/data/lexical_model.h"

#include <cstddef>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/data/word_pairs.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

using LearnLexicalModelTest = WordPairsTest;

TEST_F(LearnLexicalModelTest, FindsWhatBecomesWhat) {
  const auto lists = LearnLexicalModel(*corpus_, source_->size());
  ASSERT_EQ(lists.size(), static_cast<size_t>(source_->size()));
  for (int word = 0; word < 10; ++word) {
    const auto& list = lists[static_cast<size_t>(Source(word))];
    ASSERT_FALSE(list.empty());
    EXPECT_EQ(list[0].token, Target(word));
    EXPECT_GT(list[0].probability, 0.5f);
    double sum = 0;
    for (const LexicalTranslation& translation : list)
      sum += static_cast<double>(translation.probability);
    EXPECT_NEAR(sum, 1, 0.01);
  }
  EXPECT_EQ(lists[kPadId][0].token, target_->Encode("the")[0]);
  EXPECT_THAT(lists[kUnknownId], IsEmpty());
}

TEST_F(LearnLexicalModelTest, OneSampledPairDecidesAlone) {
  const auto lists = LearnLexicalModel(*corpus_, source_->size(), /*most_pairs=*/1);
  const auto& list = lists[static_cast<size_t>(Source(0))];  // Of the first pair, "s0 s0".
  ASSERT_THAT(list, SizeIs(2));                              // "the" and "t0".
  EXPECT_THAT(lists[static_cast<size_t>(Source(5))], IsEmpty());
}

}  // namespace
}  // namespace seq2seq
