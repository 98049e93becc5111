#include "seq2seq/metrics/word_alignment.h"

#include <cstddef>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace seq2seq {
namespace {

using Words = std::vector<std::string>;

// The slow twin: tries every alignment of the words from the i-th on.
void AlignExhaustively(const Words& hypothesis, const Words& reference, size_t i, int last,
                       std::vector<bool>& taken, WordAlignment partial, WordAlignment& best) {
  if (i == hypothesis.size()) {
    if (std::tuple(-partial.matches, partial.chunks) < std::tuple(-best.matches, best.chunks)) {
      best = partial;
    }
    return;
  }
  AlignExhaustively(hypothesis, reference, i + 1, -2, taken, partial, best);
  for (size_t j = 0; j < reference.size(); ++j) {
    if (taken[j] || hypothesis[i] != reference[j]) continue;
    const int match = static_cast<int>(j);
    taken[j] = true;
    AlignExhaustively(hypothesis, reference, i + 1, match, taken,
                      {partial.matches + 1, partial.chunks + (match == last + 1 ? 0 : 1)}, best);
    taken[j] = false;
  }
}

TEST(AlignWords, CountsRunsInTheSameOrder) {
  const WordAlignment same = AlignWords(Words{"on", "the", "mat"}, Words{"on", "the", "mat"});
  EXPECT_EQ(same.matches, 3);
  EXPECT_EQ(same.chunks, 1);
  // on the mat | sat | the cat, of Banerjee and Lavie 2005.
  const WordAlignment moved = AlignWords(Words{"on", "the", "mat", "sat", "the", "cat"},
                                         Words{"the", "cat", "sat", "on", "the", "mat"});
  EXPECT_EQ(moved.matches, 6);
  EXPECT_EQ(moved.chunks, 3);
}

TEST(AlignWords, AWordInBetweenEndsARunOnEitherSide) {
  EXPECT_EQ(AlignWords(Words{"a", "x", "b"}, Words{"a", "b"}).chunks, 2);
  EXPECT_EQ(AlignWords(Words{"a", "b"}, Words{"a", "x", "b"}).chunks, 2);
}

TEST(AlignWords, OfSeveralPlacesTakesThoseInOneRun) {
  // Not the first "the", which would part "the" from "cat".
  EXPECT_EQ(AlignWords(Words{"the", "cat"}, Words{"the", "dog", "the", "cat"}).chunks, 1);
  EXPECT_EQ(AlignWords(Words{"the", "dog", "the", "cat"}, Words{"the", "cat"}).chunks, 1);
}

TEST(AlignWords, MatchesCountMoreThanRuns) {
  // "b" alone would be one run.
  const WordAlignment alignment = AlignWords(Words{"a", "b"}, Words{"b", "a"});
  EXPECT_EQ(alignment.matches, 2);
  EXPECT_EQ(alignment.chunks, 2);
}

TEST(AlignWords, NothingInCommon) {
  for (const Words& words : {Words{}, Words{"a", "b"}}) {
    EXPECT_EQ(AlignWords(words, Words{"c"}).matches, 0);
    EXPECT_EQ(AlignWords(words, Words{"c"}).chunks, 0);
    EXPECT_EQ(AlignWords(words, Words{}).matches, 0);
  }
}

TEST(AlignWords, AgreesWithTryingEveryAlignment) {
  std::mt19937 random(1);
  const auto draw = [&](size_t kinds) {
    Words words(1 + random() % 8);
    for (std::string& word : words)
      word = std::string(1, static_cast<char>('a' + random() % kinds));
    return words;
  };
  for (int trial = 0; trial < 2000; ++trial) {
    const size_t kinds = 2 + random() % 4;
    const Words hypothesis = draw(kinds);
    const Words reference = draw(kinds);
    std::vector<bool> taken(reference.size());
    WordAlignment best;
    AlignExhaustively(hypothesis, reference, 0, -2, taken, {}, best);
    const WordAlignment found = AlignWords(hypothesis, reference);
    ASSERT_EQ(found.matches, best.matches)
        << ::testing::PrintToString(hypothesis) << " " << ::testing::PrintToString(reference);
    ASSERT_EQ(found.chunks, best.chunks)
        << ::testing::PrintToString(hypothesis) << " " << ::testing::PrintToString(reference);
  }
}

}  // namespace
}  // namespace seq2seq
