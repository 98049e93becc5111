#include "seq2seq/search/constraints.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/base/random.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ConstraintProgress After(ConstraintProgress progress, const TokenIds& tokens) {
  for (const int32_t token : tokens) progress = progress.After(token);
  return progress;
}

TEST(ConstraintProgress, CountsWhatIsMissingAndTellsWhatIsNeeded) {
  const std::vector<TokenIds> sequences = {{7, 8, 9}, {}, {5}};
  const Constraints constraints(sequences, nullptr);
  const ConstraintProgress start(constraints);
  EXPECT_EQ(start.missing(), 4);
  EXPECT_THAT(start.Needed(), ElementsAre(5, 7));

  const ConstraintProgress begun = After(start, {4, 7, 8});
  EXPECT_EQ(begun.missing(), 2);
  EXPECT_THAT(begun.Needed(), ElementsAre(9));

  const ConstraintProgress done = After(begun, {9, 5, 4});
  EXPECT_EQ(done.missing(), 0);
  EXPECT_THAT(done.Needed(), IsEmpty());
}

TEST(ConstraintProgress, WhatIsLeftIsBegunAnew) {
  const std::vector<TokenIds> sequences = {{7, 8, 9}, {5, 6}};
  const Constraints constraints(sequences, nullptr);
  const ConstraintProgress start(constraints);
  EXPECT_EQ(After(start, {7, 8, 4}).missing(), 5);
  EXPECT_EQ(After(start, {7, 8, 7}).missing(), 4);     // The token itself may begin it.
  EXPECT_EQ(After(start, {7, 8, 5}).missing(), 4);     // Or another one.
  EXPECT_EQ(After(start, {7, 8, 5, 6}).missing(), 3);  // Which then stays met.
  EXPECT_EQ(After(start, {7, 8, 5, 6, 4}).missing(), 3);
}

TEST(ConstraintProgress, TheSameTwiceIsWantedTwice) {
  const std::vector<TokenIds> sequences = {{4}, {4}};
  const Constraints constraints(sequences, nullptr);
  EXPECT_EQ(After(ConstraintProgress(constraints), {4}).missing(), 1);
  EXPECT_EQ(After(ConstraintProgress(constraints), {4, 4}).missing(), 0);
}

// Ids 4 to 8.
const Vocabulary kSubwords(std::vector<std::string>{"<pad>", "<unk>", "<s>", "</s>", "▁a", "b",
                                                    "▁ab", ".", "a"});

TEST(ConstraintProgress, WholeWordsAreTakenBackWhereTheyGoOn) {
  const std::vector<TokenIds> sequences = {{4, 6}, {4}};
  const Constraints constraints(sequences, &kSubwords);
  const ConstraintProgress met = After(ConstraintProgress(constraints), {4, 6, 4});
  EXPECT_EQ(met.missing(), 0);
  EXPECT_EQ(met.After(7).missing(), 0);
  EXPECT_EQ(met.After(5).missing(), 1);
  EXPECT_THAT(met.After(5).Needed(), ElementsAre(4));
  EXPECT_EQ(met.After(7).After(5).missing(), 0);  // After punctuation it is another word.
  EXPECT_EQ(After(ConstraintProgress(constraints), {4, 6, 5}).missing(), 3);
}

TEST(ConstraintProgress, WholeWordsBeginWhereAWordBegins) {
  const std::vector<TokenIds> sequences = {{5}};
  const Constraints whole(sequences, &kSubwords), partial(sequences, nullptr);
  EXPECT_EQ(After(ConstraintProgress(whole), {4, 5}).missing(), 1);
  EXPECT_THAT(After(ConstraintProgress(whole), {4}).Needed(), IsEmpty());
  EXPECT_EQ(After(ConstraintProgress(whole), {4, 7, 5}).missing(), 0);
  EXPECT_EQ(After(ConstraintProgress(whole), {5}).missing(), 0);
  EXPECT_EQ(After(ConstraintProgress(partial), {4, 5}).missing(), 0);
}

TEST(ConstraintProgress, MissingAfterAgreesWithAfter) {
  const std::vector<TokenIds> sequences = {{4, 5}, {4}, {4, 5, 4}, {6}, {7, 4}, {5}};
  for (const Vocabulary* vocabulary : {&kSubwords, static_cast<const Vocabulary*>(nullptr)}) {
    const Constraints constraints(sequences, vocabulary);
    ConstraintProgress progress(constraints);
    std::set<int64_t> seen;
    for (uint64_t i = 0; i < 2000; ++i) {
      const auto token = static_cast<int32_t>(4 + Mix(i) % 5);
      const int64_t missing = progress.MissingAfter(token);
      seen.insert(missing);
      progress = progress.After(token);
      EXPECT_EQ(progress.missing(), missing);
      if (missing == 0) progress = ConstraintProgress(constraints);
    }
    EXPECT_GT(seen.size(), 5u);
  }
}

}  // namespace
}  // namespace seq2seq
