#include "seq2seq/search/batch_shortlist.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(BatchShortlist, IsTheUnionOfItsSentences) {
  const BatchShortlist shortlists({{3, 7, 9}, {3, 5, 20}, {3, 5, 7, 9, 20}}, /*target_vocab=*/100);
  EXPECT_THAT(shortlists.tokens(), ElementsAre(3, 5, 7, 9, 20));
  ASSERT_TRUE(shortlists.differs());
  EXPECT_THAT(shortlists.own(0), ElementsAre(3, 7, 9));
  EXPECT_THAT(shortlists.columns(0), ElementsAre(0, 2, 3));
  EXPECT_THAT(shortlists.columns(1), ElementsAre(0, 1, 4));
  EXPECT_THAT(shortlists.columns(2), ElementsAre(0, 1, 2, 3, 4));
}

TEST(BatchShortlist, ASentenceAloneHasNoOtherColumns) {
  const BatchShortlist shortlists({{3, 7, 9}}, 100);
  EXPECT_THAT(shortlists.tokens(), ElementsAre(3, 7, 9));
  EXPECT_FALSE(shortlists.differs());
  EXPECT_FALSE(BatchShortlist({{3, 7}, {3, 7}}, 100).differs());
}

TEST(BatchShortlist, ASentenceWithoutOneNeedsTheWholeOutputLayer) {
  const BatchShortlist shortlists({{3, 7, 9}, {}}, 100);
  EXPECT_THAT(shortlists.tokens(), IsEmpty());
  ASSERT_TRUE(shortlists.differs());
  EXPECT_THAT(shortlists.columns(0), ElementsAre(3, 7, 9));
  EXPECT_THAT(shortlists.own(1), IsEmpty());
  EXPECT_THAT(shortlists.columns(1), IsEmpty());
  EXPECT_FALSE(BatchShortlist({{}, {}}, 100).differs());
  EXPECT_FALSE(BatchShortlist().differs());
}

TEST(BatchShortlist, AUnionOfMostOfTheVocabularyIsAllOfIt) {
  const BatchShortlist shortlists({{0, 1, 2, 3}, {4, 5, 6}}, /*target_vocab=*/8);
  EXPECT_THAT(shortlists.tokens(), IsEmpty());
  ASSERT_TRUE(shortlists.differs());
  EXPECT_THAT(shortlists.columns(1), ElementsAre(4, 5, 6));
}

}  // namespace
}  // namespace seq2seq
