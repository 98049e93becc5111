#include "seq2seq/metrics/caption.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

using Lines = std::vector<std::string>;

CaptionScores Scores(const Lines& hypotheses, const std::vector<Lines>& references,
                     const CaptionOptions& options = {}) {
  const absl::StatusOr<CaptionScores> scores = ScoreCaptions(hypotheses, references, options);
  EXPECT_TRUE(scores.ok()) << scores.status();
  return scores.value_or(CaptionScores{});
}

TEST(NormalizeCaption, KeepsLettersAndDigitsInLowerCase) {
  EXPECT_EQ(NormalizeCaption("A man's 2 \"T-shirts\" ."), "a mans 2 t shirts");
  EXPECT_EQ(NormalizeCaption("$5, #1 & 3.5%_x/y"), "5 1 35xy");
}

TEST(NormalizeCaption, HyphensAndDashesAreSpaces) {
  EXPECT_EQ(NormalizeCaption("black-and-white"), "black and white");
  EXPECT_EQ(NormalizeCaption("a\u2010b \u2014 c\u2013d"), "a b c d");
}

TEST(NormalizeCaption, KnowsAllScripts) {
  EXPECT_EQ(NormalizeCaption("Ein ÜBERGROẞER Hund…"), "ein übergroßer hund");
  EXPECT_EQ(NormalizeCaption("«ДОМ», 日本。"), "дом 日本");
  EXPECT_EQ(NormalizeCaption("e\u0301te\u0301"), "e\u0301te\u0301");  // Accents stay.
  EXPECT_EQ(NormalizeCaption("हिन्दी १२"), "हिन्दी १२");
  EXPECT_EQ(NormalizeCaption("dog 🐕"), "dog");
}

TEST(NormalizeCaption, LeavesOneSpaceBetweenWords) {
  EXPECT_EQ(NormalizeCaption("\t a  \u00A0 b ! "), "a b");
  EXPECT_EQ(NormalizeCaption(" - ! "), "");
  EXPECT_EQ(NormalizeCaption("a\xFF"
                             "b"),
            "ab");
}

TEST(NormalizeCaption, NormalisedTextStaysAsItIs) {
  for (const char* line : {"A man's 2 \"T-shirts\".", "İ ΟΔΟΣ-Ν", "", "½ Ⅷ"}) {
    const std::string once = NormalizeCaption(line);
    EXPECT_EQ(NormalizeCaption(once), once);
  }
}

TEST(ScoreCaptions, NormalisesBothSides) {
  const CaptionScores scores =
      Scores({"A dog jumps - high!", "Two men."}, {{"a dog jumps high", "two men"}});
  EXPECT_DOUBLE_EQ(scores.bleu.score, 100);
  EXPECT_DOUBLE_EQ(scores.rouge_l, 100);
  EXPECT_DOUBLE_EQ(scores.cider.cider_d, 10 * (1 + 0.5) / 2);  // No 3-gram in "two men".
  EXPECT_NEAR(scores.meteor.score, 100 * (1 - 0.5 * std::pow(2.0 / 6, 3)), 1e-9);
  EXPECT_DOUBLE_EQ(scores.bleu.LengthRatio(), 1);
}

TEST(ScoreCaptions, BleuIsNotSmoothed) {
  // 5/6 * 3/5 * 1/4 of the orders 1 to 3, and no 4-gram.
  const CaptionScores scores = Scores({"the cat sat on the mat"}, {{"The cat is on the mat."}});
  EXPECT_NEAR(scores.bleu.Order(1), 100 * 5.0 / 6, 1e-9);
  EXPECT_NEAR(scores.bleu.Order(2), 100 * std::sqrt(1.0 / 2), 1e-9);
  EXPECT_NEAR(scores.bleu.Order(3), 100 * std::cbrt(1.0 / 8), 1e-9);
  EXPECT_EQ(scores.bleu.Order(4), 0);
}

TEST(ScoreCaptions, DistinctIsTheShareOfDifferentCaptions) {
  EXPECT_DOUBLE_EQ(Scores({"a", "b", "A.", "a"}, {{"a", "b", "c", "d"}}).distinct, 50);
  EXPECT_DOUBLE_EQ(Scores({"a", "b"}, {{"c", "d"}}).distinct, 100);
  EXPECT_EQ(Scores({}, {{}}).distinct, 0);
}

TEST(ScoreCaptions, SignatureNamesReferencesAndStemmer) {
  EXPECT_EQ(Scores({"a"}, {{"a"}, {"b"}}).Signature(),
            "nrefs:2|case:lc|norm:caption|stem:english|version:seq2seq-0.1.0");
  // What is empty once normalised is no reference.
  EXPECT_THAT(Scores({"a", "b"}, {{"a", "b"}, {"c", "!"}}, {.stemmer = "german"}).Signature(),
              HasSubstr("nrefs:var|case:lc|norm:caption|stem:german|"));
}

TEST(ScoreCaptions, BadArgumentsAreErrors) {
  const absl::Status status = ScoreCaptions(Lines{"a"}, {{"a", "b"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("1 hypotheses, but reference 1 has 2"));
  EXPECT_EQ(ScoreCaptions(Lines{"a"}, {}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(ScoreCaptions(Lines{"a"}, {{"a"}}, {.stemmer = "klingon"}).status().message()),
      HasSubstr("klingon"));
}

}  // namespace
}  // namespace seq2seq
