#include "seq2seq/metrics/breakdown.h"

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "seq2seq/metrics/bleu.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;

using Lines = std::vector<std::string>;

std::string Words(int count) {
  std::string line;
  for (int i = 0; i < count; ++i) line += "a ";
  return line;
}

TEST(GroupByLength, CountsWordsOfTheReference) {
  const std::vector<LengthGroup> groups =
      GroupByLength({Words(3), Words(11), "", Words(10), Words(51), Words(500)});
  ASSERT_EQ(groups.size(), 3);
  EXPECT_EQ(groups[0].shortest, 1);
  EXPECT_EQ(groups[0].longest, 10);
  EXPECT_THAT(groups[0].segments, ElementsAre(0, 2, 3));
  EXPECT_EQ(groups[1].shortest, 11);
  EXPECT_THAT(groups[1].segments, ElementsAre(1));
  EXPECT_EQ(groups[2].shortest, 51);
  EXPECT_EQ(groups[2].longest, std::numeric_limits<int64_t>::max());
  EXPECT_THAT(groups[2].segments, ElementsAre(4, 5));
}

TEST(ScoreSegments, ScoresThemAsACorpus) {
  const Lines hypotheses = {"a b c d e", "x", "a b c d f"};
  const Lines references = {"a b c d e f", "y", "a b c d e"};
  const std::unique_ptr<const CorpusMetric> bleu = MakeBleu();
  const SegmentCounts counts = *bleu->Count(hypotheses, {references});
  EXPECT_DOUBLE_EQ(
      ScoreSegments(*bleu, counts, {0, 2}),
      CorpusBleu({hypotheses[0], hypotheses[2]}, {{references[0], references[2]}})->score);
}

TEST(ScoreWordsByFrequency, CountsMatchesOfEachGroup) {
  WordFrequencies frequencies;
  CountWords(SplitWords({"the the the a cat"}, {}), frequencies);
  const Lines hypotheses = {"the the the dog cat"}, references = {"the the cat mat"};
  const std::vector<FrequencyGroup> groups =
      ScoreWordsByFrequency(SplitWords(hypotheses, {}), SplitWords(references, {}), frequencies);
  ASSERT_EQ(groups.size(), 3);
  EXPECT_EQ(groups[0].least, 0);  // Unknown: dog and mat.
  EXPECT_EQ(groups[0].F1(), 0);
  EXPECT_EQ(groups[1].least, 1);  // cat.
  EXPECT_EQ(groups[1].F1(), 100);
  EXPECT_EQ(groups[2].least, 2);  // the: two of three match the two of the reference.
  EXPECT_EQ(groups[2].most, 4);
  EXPECT_EQ(groups[2].matches, 2);
  EXPECT_EQ(groups[2].F1(), 80);
}

}  // namespace
}  // namespace seq2seq
