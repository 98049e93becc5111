#include "seq2seq/metrics/meteor.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

using Lines = std::vector<std::string>;

MeteorScore Result(const Lines& hypotheses, const std::vector<Lines>& references,
                   const MeteorOptions& options = {}) {
  const absl::StatusOr<MeteorScore> meteor = CorpusMeteor(hypotheses, references, options);
  EXPECT_TRUE(meteor.ok()) << meteor.status();
  return meteor.value_or(MeteorScore{});
}

double Score(const Lines& hypotheses, const std::vector<Lines>& references) {
  return Result(hypotheses, references).score;
}

TEST(Meteor, OneRunOfMatchesStillPaysForItself) {
  // F = 1, and a chunk of 6 matches: 1 - 0.5 / 6³.
  EXPECT_NEAR(Score({"the cat sat on the mat"}, {{"the cat sat on the mat"}}),
              100 * (1 - 0.5 / 216), 1e-9);
}

TEST(Meteor, OrderCountsByRuns) {
  // on the mat | sat | the cat: 3 chunks of 6 matches.
  EXPECT_NEAR(Score({"on the mat sat the cat"}, {{"the cat sat on the mat"}}),
              100 * (1 - 0.5 * std::pow(3.0 / 6, 3)), 1e-9);
}

TEST(Meteor, RecallWeighsNineTimesAsMuchAsPrecision) {
  // "the cat" in one run. P = 2/2, R = 2/4: F = 10 * 0.5 / (0.5 + 9) = 10/19.
  EXPECT_NEAR(Score({"the cat"}, {{"the cat sat down"}}), 100 * 10 / 19.0 * (1 - 0.5 / 8), 1e-9);
  // P = 2/4, R = 2/2: F = 5 / (1 + 4.5) = 10/11.
  EXPECT_NEAR(Score({"the cat sat down"}, {{"the cat"}}), 100 * 10 / 11.0 * (1 - 0.5 / 8), 1e-9);
}

TEST(Meteor, StemsMatch) {
  const MeteorScore meteor = Result({"dogs are jumping high"}, {{"the dog jumped high"}});
  EXPECT_EQ(meteor.matches, 3);
  EXPECT_EQ(meteor.chunks, 2);  // dog | jump high.
  EXPECT_EQ(Result({"runs"}, {{"sprints"}}).matches, 0);
}

TEST(Meteor, TheStemmerIsThatOfTheLanguage) {
  EXPECT_EQ(Result({"häuser"}, {{"haus"}}).matches, 0);
  EXPECT_EQ(Result({"häuser"}, {{"haus"}}, {.stemmer = "german"}).matches, 1);
  EXPECT_EQ(Result({"häuser"}, {{"haus"}}, {.stemmer = "de"}).matches, 1);
}

TEST(Meteor, EachSegmentTakesTheReferenceThatScoresBest) {
  const MeteorScore meteor = Result({"a b c", "x y"}, {{"a b c", "q q q q"}, {"q q q q q", "x y"}});
  EXPECT_EQ(meteor.matches, 5);
  EXPECT_EQ(meteor.reference_length, 3 + 2);
  EXPECT_EQ(meteor.num_references, 2);
}

TEST(Meteor, CountsAreSummedOverTheCorpusBeforeTheyAreDivided) {
  // Matches 4 + 0, chunks 1 + 0, lengths 4 + 4 on either side: F = 4/8.
  EXPECT_NEAR(Score({"a b c d", "x x x x"}, {{"a b c d", "y y y y"}}), 100 * 0.5 * (1 - 0.5 / 64),
              1e-9);
}

TEST(Meteor, EmptyLines) {
  EXPECT_EQ(Score({}, {{}}), 0);
  EXPECT_EQ(Score({""}, {{""}}), 0);
  EXPECT_EQ(Score({"a"}, {{""}}), 0);
  EXPECT_EQ(Score({""}, {{"a"}}), 0);
  EXPECT_EQ(Result({"", "a"}, {{"b c", "a"}}).reference_length, 3);
}

TEST(Meteor, TheNameSaysWhatItIs) { EXPECT_EQ(MeteorScore().Name(), "METEOR (exact+stem)"); }

TEST(Meteor, BadArgumentsAreErrors) {
  const absl::Status status = CorpusMeteor(Lines{"a"}, {{"a", "b"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("1 hypotheses, but reference 1 has 2"));
  EXPECT_EQ(CorpusMeteor(Lines{"a"}, {}).status().code(), absl::StatusCode::kInvalidArgument);

  const absl::Status unknown = CorpusMeteor(Lines{"a"}, {{"a"}}, {.stemmer = "klingon"}).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("klingon"));
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("english"));
}

}  // namespace
}  // namespace seq2seq
