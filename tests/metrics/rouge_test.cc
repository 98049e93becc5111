#include "seq2seq/metrics/rouge.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

using Lines = std::vector<std::string>;

double Score(const Lines& hypotheses, const std::vector<Lines>& references) {
  const absl::StatusOr<double> rouge = CorpusRougeL(hypotheses, references);
  EXPECT_TRUE(rouge.ok()) << rouge.status();
  return rouge.value_or(-1);
}

TEST(RougeL, IdenticalTextScores100) {
  EXPECT_DOUBLE_EQ(Score({"a dog runs", "snow"}, {{"a dog runs", "snow"}}), 100);
}

TEST(RougeL, CommonWordsNeedTheSameOrderButNoNeighbours) {
  // The example of Lin 2004, section 3.1: police killer, and the killer; 2 of 4, or 3 of 4.
  EXPECT_NEAR(Score({"the gunman kill police"}, {{"police killed the gunman"}}), 50, 1e-9);
  EXPECT_NEAR(Score({"police kill the gunman"}, {{"police killed the gunman"}}), 75, 1e-9);
}

TEST(RougeL, RecallWeighs1Point44TimesAsMuchAsPrecision) {
  // P = 2/2, R = 2/4: 2.44 * 1 * 0.5 / (0.5 + 1.44 * 1) = 1.22 / 1.94.
  EXPECT_NEAR(Score({"a b"}, {{"a x b y"}}), 100 * 1.22 / 1.94, 1e-9);
  // P = 2/4, R = 2/2: 1.22 / (1 + 0.72).
  EXPECT_NEAR(Score({"a x b y"}, {{"a b"}}), 100 * 1.22 / 1.72, 1e-9);
}

TEST(RougeL, PrecisionAndRecallMayComeFromDifferentReferences) {
  // P = 3/4 from the first, R = 1/1 from the second: 2.44 * 0.75 / (1 + 1.44 * 0.75).
  EXPECT_NEAR(Score({"a b c x"}, {{"a b c y z w"}, {"a"}}), 100 * 1.83 / 2.08, 1e-9);
}

TEST(RougeL, IsTheMeanOverSegments) {
  EXPECT_NEAR(Score({"a b c d", "x"}, {{"a b c d", "y"}}), 50, 1e-9);
}

TEST(RougeL, EmptyLines) {
  EXPECT_EQ(Score({}, {{}}), 0);
  EXPECT_EQ(Score({""}, {{""}}), 0);
  EXPECT_EQ(Score({"a"}, {{""}}), 0);
  EXPECT_EQ(Score({""}, {{"a"}}), 0);
  EXPECT_DOUBLE_EQ(Score({"a"}, {{""}, {"a"}}), 100);
}

TEST(RougeL, CountsThatDifferAreAnError) {
  const absl::Status status = CorpusRougeL(Lines{"a"}, {{"a", "b"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("1 hypotheses, but reference 1 has 2"));
  EXPECT_EQ(CorpusRougeL(Lines{"a"}, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace seq2seq
