#include "seq2seq/search/alignment.h"

#include <vector>

#include "gtest/gtest.h"

namespace seq2seq {
namespace {

TEST(AlignWords, SumsOverSubwordsAndLeavesOutTheEnd) {
  Candidate candidate;
  candidate.subwords = {"▁der", "▁Hun", "d"};
  candidate.alignment.source = {"▁the", "▁d", "og", "</s>"};
  candidate.alignment.weights = {{0.3F, 0.1F, 0.1F, 0.5F},
                                 {0.4F, 0.3F, 0.2F, 0.1F},
                                 {0.3F, 0.1F, 0.6F, 0.0F},
                                 {0.0F, 0.0F, 0.0F, 1.0F}};
  const std::vector<AlignedWords> aligned = AlignWords(candidate);
  ASSERT_EQ(aligned.size(), 2u);
  EXPECT_EQ(aligned[0].source, 0u);
  EXPECT_EQ(aligned[0].target, 0u);
  EXPECT_EQ(aligned[1].source, 1u);
  EXPECT_EQ(aligned[1].target, 1u);
}

TEST(AlignWords, OfNothingIsNothing) {
  Candidate candidate;
  EXPECT_TRUE(AlignWords(candidate).empty());
  candidate.alignment.source = {"▁a", "</s>"};
  candidate.alignment.weights = {{0.5F, 0.5F}};
  EXPECT_TRUE(AlignWords(candidate).empty());
}

}  // namespace
}  // namespace seq2seq
