#include "seq2seq/align/word_aligner.h"

#include <cstdint>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/align/lexical_model.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Sentence = std::vector<int32_t>;

// Source words 1 to 10 become target words 11 to 20, in reverse order, after the word 1, which none
// of them generates.
struct Reversed {
  explicit Reversed(int32_t words = 10) {
    for (int32_t i = 1; i <= words; ++i) {
      for (int32_t j = 1; j <= words; ++j) {
        sources.push_back({i, j});
        targets.push_back({1, j + 10, i + 10});
      }
    }
  }

  SentencePairs pairs() const {
    return {static_cast<int64_t>(sources.size()), [this](int64_t i) {
              const auto index = static_cast<size_t>(i);
              return SentencePair{sources[index], targets[index]};
            }};
  }

  std::vector<Sentence> sources, targets;
};

TEST(LexicalModel, FindsWhatBecomesWhat) {
  const Reversed corpus;
  const auto lists = LexicalModel::Learn(corpus.pairs(), 12).Translations();
  ASSERT_EQ(lists.size(), 12u);
  for (size_t word = 1; word <= 10; ++word) {
    EXPECT_EQ(lists[word][0].token, static_cast<int32_t>(word) + 10);
    EXPECT_GT(lists[word][0].probability, 0.5f);
    double sum = 0;
    for (const LexicalTranslation& translation : lists[word])
      sum += static_cast<double>(translation.probability);
    EXPECT_NEAR(sum, 1, 0.01);
  }
  EXPECT_EQ(lists[kEmptyWord][0].token, 1);
  EXPECT_THAT(lists[11], IsEmpty());
}

TEST(SentencePairs, AtMostTakesSomeAtEqualDistances) {
  const Reversed corpus;
  const SentencePairs some = corpus.pairs().AtMost(3);
  ASSERT_EQ(some.size, 3);
  EXPECT_EQ(some.at(2).source[0], corpus.sources[68][0]);
  EXPECT_EQ(corpus.pairs().AtMost(1000).size, 100);
}

TEST(WordAligner, FollowsWordsAndLeavesOutTheEmptyWords) {
  const Reversed corpus;
  const WordAligner aligner =
      WordAligner::Learn(corpus.pairs(), 12, 22, Symmetrization::kIntersection);
  const Sentence source = {3, 7}, target = {1, 17, 13};
  EXPECT_EQ(PharaohText(aligner.Align({source, target})), "1-1 0-2");
}

// The lexical model alone cannot tell which of the two equal words is meant.
TEST(WordAligner, OrderTellsRepeatedWordsApart) {
  std::vector<Sentence> sources, targets;
  for (int32_t i = 1; i <= 6; ++i) {
    for (int32_t j = 1; j <= 6; ++j) {
      sources.push_back({i, 7, j, 7});
      targets.push_back({i + 10, 17, j + 10, 17});
    }
  }
  const SentencePairs pairs = {static_cast<int64_t>(sources.size()), [&](int64_t i) {
                                 const auto index = static_cast<size_t>(i);
                                 return SentencePair{sources[index], targets[index]};
                               }};
  const WordAligner aligner = WordAligner::Learn(pairs, 8, 18);
  EXPECT_EQ(PharaohText(aligner.Align(pairs.at(9))), "0-0 1-1 2-2 3-3");
}

TEST(WordAligner, OfEmptyAndEndlessSentencesIsNothing) {
  const Reversed corpus;
  const WordAligner aligner = WordAligner::Learn(corpus.pairs(), 12, 22);
  const Sentence one = {3};
  const Sentence endless(HiddenMarkovAligner::kMaxWords + 1, 3);
  EXPECT_THAT(aligner.Align({{}, one}), IsEmpty());
  EXPECT_THAT(aligner.Align({one, {}}), IsEmpty());
  EXPECT_THAT(aligner.Align({endless, one}), IsEmpty());
}

// Words that were never seen have some position.
TEST(WordAligner, AlignsUnknownWordsByPosition) {
  std::vector<Sentence> sources, targets;
  for (int32_t i = 1; i <= 6; ++i) {
    for (int32_t j = 1; j <= 6; ++j) {
      sources.push_back({i, j, i});
      targets.push_back({i + 10, j + 10, i + 10});
    }
  }
  const SentencePairs pairs = {static_cast<int64_t>(sources.size()), [&](int64_t i) {
                                 const auto index = static_cast<size_t>(i);
                                 return SentencePair{sources[index], targets[index]};
                               }};
  const WordAligner aligner = WordAligner::Learn(pairs, 8, 18);
  const Sentence source = {1, 7, 2}, target = {11, 17, 12};
  EXPECT_EQ(PharaohText(aligner.Align({source, target})), "0-0 1-1 2-2");
}

// Two links of both directions; the rest is of one of them:
//
//   forward  0-0 1-1 1-2 3-3      reverse  0-0 1-1 2-1 4-4
TEST(Symmetrize, AgreesWithTheDefinitions) {
  const std::vector<int32_t> forward = {0, 1, 1, 3, -1}, reverse = {0, 1, 1, -1, 4};
  const auto text = [&](Symmetrization method) {
    return PharaohText(Symmetrize(forward, reverse, method));
  };
  EXPECT_EQ(text(Symmetrization::kForward), "0-0 1-1 1-2 3-3");
  EXPECT_EQ(text(Symmetrization::kReverse), "0-0 1-1 2-1 4-4");
  EXPECT_EQ(text(Symmetrization::kIntersection), "0-0 1-1");
  EXPECT_EQ(text(Symmetrization::kUnion), "0-0 1-1 2-1 1-2 3-3 4-4");
  // 2-1 and 1-2 are neighbours of 1-1 and reach a new word; 3-3 and 4-4 come at the end.
  EXPECT_EQ(text(Symmetrization::kGrowDiagFinalAnd), "0-0 1-1 2-1 1-2 3-3 4-4");
}

TEST(Symmetrize, GrowsOnlyToNewWords) {
  // 1-0 is a neighbour of both links, whose words have links already.
  const std::vector<int32_t> forward = {1, 1}, reverse = {0, 1};
  EXPECT_THAT(Symmetrize(forward, reverse, Symmetrization::kGrowDiagFinalAnd),
              ElementsAre(AlignedWords{0, 0}, AlignedWords{1, 1}));
  EXPECT_EQ(PharaohText(Symmetrize({{0, 1, 1}}, {{0, 1}}, Symmetrization::kGrowDiagFinalAnd)),
            "0-0 1-1 1-2");
}

}  // namespace
}  // namespace seq2seq
