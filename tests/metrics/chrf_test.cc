#include "seq2seq/metrics/chrf.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

using Lines = std::vector<std::string>;

constexpr ChrfOptions kPlusPlus = {.word_order = 2};

ChrfScore Result(const Lines& hypotheses, const std::vector<Lines>& references,
                 const ChrfOptions& options = {}) {
  const absl::StatusOr<ChrfScore> chrf = CorpusChrf(hypotheses, references, options);
  EXPECT_TRUE(chrf.ok()) << chrf.status();
  return chrf.value_or(ChrfScore{});
}

double Score(const Lines& hypotheses, const std::vector<Lines>& references,
             const ChrfOptions& options = {}) {
  return Result(hypotheses, references, options).score;
}

TEST(Chrf, IdenticalTextScores100) {
  EXPECT_DOUBLE_EQ(Score({"A dog runs.", ""}, {{"A dog runs.", ""}}), 100);
  EXPECT_DOUBLE_EQ(Score({"A dog runs.", ""}, {{"A dog runs.", ""}}, kPlusPlus), 100);
}

TEST(Chrf, AveragesOverTheOrdersThatBothSidesHave) {
  // 1-grams a, b: 2/3; 2-grams ab: 1/2; 3-grams: 0/1; none longer. Precision and recall are both
  // (2/3 + 1/2 + 0) / 3 = 7/18, and so is their F-score.
  EXPECT_NEAR(Score({"abc"}, {{"abd"}}), 100 * 7.0 / 18, 1e-9);
}

TEST(Chrf, RecallCountsTwiceAsMuch) {
  // Precision 2/2 and 1/1; recall 2/4 and 1/3, so 5/12. F2 = 5 P R / (4 P + R) = (25/12) / (53/12).
  EXPECT_NEAR(Score({"ab"}, {{"abcd"}}), 100 * 25.0 / 53, 1e-9);
  // The other way round: 5 P R / (4 P + R) = (25/12) / (20/12 + 1) = 25/32.
  EXPECT_NEAR(Score({"abcd"}, {{"ab"}}), 100 * 25.0 / 32, 1e-9);
}

TEST(Chrf, NgramsMatchAsOftenAsTheReferenceHasThem) {
  // 1-grams: 1 of 3, recall 1/1; the reference has no 2-grams. F2 = 5 * 1/3 / (4/3 + 1) = 5/7.
  EXPECT_NEAR(Score({"aaa"}, {{"a"}}), 100 * 5.0 / 7, 1e-9);
}

TEST(Chrf, CountsAreSummedOverTheCorpusBeforeTheyAreDivided) {
  // 1-grams: 2+1 matches of 2+3, recall 3/3. 2-grams: 1 of 1, for the reference "a" has none, so
  // that the two of "abc" do not count.
  // P = (3/5 + 1) / 2 = 4/5, R = 1, F2 = 4 / (16/5 + 1) = 20/21.
  EXPECT_NEAR(Score({"ab", "abc"}, {{"ab", "a"}}), 100 * 20.0 / 21, 1e-9);
}

TEST(Chrf, EachSentenceTakesTheReferenceThatScoresBest) {
  EXPECT_DOUBLE_EQ(Score({"abc", "xyz"}, {{"abc", "q"}, {"q", "xyz"}}), 100);
  // The references are not merged: of "abxy", "ab" or "xy" matches, not both.
  EXPECT_NEAR(Score({"abxy"}, {{"ab"}, {"xy"}}), Score({"abxy"}, {{"ab"}}), 1e-9);
}

TEST(Chrf, SpacesDoNotCount) { EXPECT_DOUBLE_EQ(Score({" a b\u00A0c"}, {{"abc"}}), 100); }

TEST(Chrf, CharactersAreCodePoints) {
  // ü and ö share their first byte, but no character: 1-grams 1/2, 2-grams 0/1.
  EXPECT_NEAR(Score({"aü"}, {{"aö"}}), 100 * 1.0 / 4, 1e-9);
  // Nor do bytes that are not UTF-8 share any.
  EXPECT_NEAR(Score({"a\xFF"}, {{"a\xFE"}}), 100 * 1.0 / 4, 1e-9);
  EXPECT_DOUBLE_EQ(Score({"a\xFF"}, {{"a\xFF"}}), 100);
}

TEST(Chrf, PlusPlusAddsWords) {
  // Characters of "abc" and "abd" as above: 2/3, 1/2, 0; words 0/1. 7/6 over 4 orders.
  EXPECT_NEAR(Score({"abc"}, {{"abd"}}, kPlusPlus), 100 * 7.0 / 24, 1e-9);
  // All characters match, no word does: 2/2, 1/1, 0/1; there are pairs of words on one side only.
  EXPECT_NEAR(Score({"ab"}, {{"a b"}}, kPlusPlus), 100 * 2.0 / 3, 1e-9);
}

TEST(Chrf, OnePunctuationCharacterIsAWordOfItsOwn) {
  // Words hi , against hi: precision 1/2, recall 1/1. Characters: 2/3 and 2/2, 1/2 and 1/1; the
  // reference has no more. P = (1/2 + 2/3 + 1/2) / 3 = 5/9, R = 1,
  // F2 = (25/9) / (20/9 + 1) = 25/29.
  EXPECT_NEAR(Score({"hi,"}, {{"hi"}}, kPlusPlus), 100 * 25.0 / 29, 1e-9);
  // The same at the front, if the last is none.
  EXPECT_NEAR(Score({"(hi"}, {{"hi"}}, kPlusPlus), 100 * 25.0 / 29, 1e-9);
  // Of both, the last: words (hi ) against hi match none. Characters: 2/4 and 2/2, 1/3 and 1/1.
  // P = (1/2 + 1/3 + 0) / 3 = 5/18, R = 2/3, F2 = (25/27) / (10/9 + 2/3) = 25/48.
  EXPECT_NEAR(Score({"(hi)"}, {{"hi"}}, kPlusPlus), 100 * 25.0 / 48, 1e-9);
}

TEST(Chrf, Lowercase) {
  EXPECT_EQ(Score({"ÄB"}, {{"äb"}}, {.lowercase = true}), 100);
  EXPECT_NEAR(Score({"ÄB"}, {{"äB"}}), 100 * 1.0 / 4, 1e-9);
}

TEST(Chrf, EmptyLines) {
  EXPECT_EQ(Score({}, {{}}), 0);
  EXPECT_EQ(Score({""}, {{""}}), 0);
  EXPECT_EQ(Score({""}, {{"abc"}}), 0);
  EXPECT_EQ(Score({"abc"}, {{""}}), 0);
  EXPECT_EQ(Score({"abc"}, {{"xyz"}}), 0);
  // An empty hypothesis costs recall: 3/6, 2/4, 1/2 at full precision. F2 = 5/2 / (4 + 1/2) = 5/9.
  EXPECT_NEAR(Score({"abc", ""}, {{"abc", "def"}}), 100 * 5.0 / 9, 1e-9);
}

TEST(Chrf, NameAndSignature) {
  const ChrfScore chrf = Result({"a"}, {{"a"}});
  EXPECT_EQ(chrf.Name(), "chrF2");
  EXPECT_EQ(chrf.Signature(),
            "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:seq2seq-0.1.0");

  const ChrfScore plus_plus =
      Result({"a", "b"}, {{"a", "b"}, {"", "b"}}, {.word_order = 2, .lowercase = true});
  EXPECT_EQ(plus_plus.Name(), "chrF2++");
  EXPECT_EQ(plus_plus.Signature(),
            "nrefs:var|case:lc|eff:yes|nc:6|nw:2|space:no|version:seq2seq-0.1.0");
}

TEST(Chrf, BadArgumentsAreErrors) {
  const absl::Status status = CorpusChrf(Lines{"a"}, {{"a", "b"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("1 hypotheses, but reference 1 has 2"));
  EXPECT_EQ(CorpusChrf(Lines{"a"}, {}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(CorpusChrf(Lines{"a"}, {{"a"}}, {.word_order = -1}).status().message()),
              HasSubstr("-1"));
}

}  // namespace
}  // namespace seq2seq
