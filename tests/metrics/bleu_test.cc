#include "seq2seq/metrics/bleu.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace seq2seq {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Lines = std::vector<std::string>;

BleuScore Score(const Lines& hypotheses, const std::vector<Lines>& references,
                const BleuOptions& options = {}) {
  const absl::StatusOr<BleuScore> bleu = CorpusBleu(hypotheses, references, options);
  EXPECT_TRUE(bleu.ok()) << bleu.status();
  return bleu.value_or(BleuScore{});
}

Lines Tokens(const std::string& line, Tokenization tokenization = Tokenization::k13a) {
  return Tokenize(line, tokenization, /*lowercase=*/false);
}

// Of its 1-grams match the (twice), cat, on, mat: 5 of 6; of the 2-grams the cat, on the, the mat:
// 3 of 5; of the 3-grams on the mat: 1 of 4; of the 4-grams none of 3.
constexpr char kHypothesis[] = "the cat sat on the mat";
constexpr char kReference[] = "the cat is on the mat";

TEST(Bleu, IdenticalTextScores100) {
  const BleuScore bleu =
      Score({"A dog runs through the snow.", ""}, {{"A dog runs through the snow.", ""}});
  EXPECT_DOUBLE_EQ(bleu.score, 100);
  EXPECT_THAT(bleu.precisions, Each(100));
  EXPECT_EQ(bleu.brevity_penalty, 1);
  EXPECT_EQ(bleu.LengthRatio(), 1);
}

TEST(Bleu, ExponentialSmoothingHalvesForEachOrderWithoutMatch) {
  const BleuScore bleu = Score({kHypothesis}, {{kReference}});
  EXPECT_THAT(bleu.matches, ElementsAre(5, 3, 1, 0));
  EXPECT_THAT(bleu.totals, ElementsAre(6, 5, 4, 3));
  // The 4-grams count half a match: 5/6 * 3/5 * 1/4 * (1/2)/3 = 1/48.
  EXPECT_DOUBLE_EQ(bleu.precisions[3], 100.0 / 6);
  EXPECT_NEAR(bleu.score, 100 * std::pow(1.0 / 48, 0.25), 1e-9);

  // Two orders without a match: 1/2 and 1/4. 4/4 * 1/3 * (1/2)/2 * (1/4)/1 = 1/48.
  const BleuScore two = Score({"a b c d"}, {{"b a d c a b"}});
  EXPECT_THAT(two.matches, ElementsAre(4, 1, 0, 0));
  EXPECT_NEAR(two.score, two.brevity_penalty * 100 * std::pow(1.0 / 48, 0.25), 1e-9);
}

TEST(Bleu, OtherSmoothing) {
  // 5/6 * 3/5 * 1/4 * 0.1/3 = 1/240.
  EXPECT_NEAR(Score({kHypothesis}, {{kReference}}, {.smoothing = BleuSmoothing::kFloor}).score,
              100 * std::pow(1.0 / 240, 0.25), 1e-9);
  // 5/6 * (3+1)/(5+1) * (1+1)/(4+1) * (0+1)/(3+1) = 1/18.
  EXPECT_NEAR(Score({kHypothesis}, {{kReference}}, {.smoothing = BleuSmoothing::kAddK}).score,
              100 * std::pow(1.0 / 18, 0.25), 1e-9);
  EXPECT_EQ(Score({kHypothesis}, {{kReference}}, {.smoothing = BleuSmoothing::kNone}).score, 0);
}

TEST(Bleu, CountsAreSummedOverTheCorpusBeforeTheyAreDivided) {
  // Matches 5+4, 3+3, 1+2, 0+1 of 6+4, 5+3, 4+2, 3+1: 9/10 * 6/8 * 3/6 * 1/4 = 27/320.
  const BleuScore bleu =
      Score({kHypothesis, "two dogs are playing"}, {{kReference, "two dogs are playing"}});
  EXPECT_THAT(bleu.matches, ElementsAre(9, 6, 3, 1));
  EXPECT_NEAR(bleu.score, 100 * std::pow(27.0 / 320, 0.25), 1e-9);
}

TEST(Bleu, ShortHypothesesArePenalised) {
  const BleuScore bleu = Score({"a b c d"}, {{"a b c d e"}});
  EXPECT_NEAR(bleu.brevity_penalty, std::exp(1 - 5.0 / 4), 1e-12);
  EXPECT_NEAR(bleu.score, 100 * std::exp(-0.25), 1e-9);
  EXPECT_DOUBLE_EQ(bleu.LengthRatio(), 0.8);

  const BleuScore longer = Score({"a b c d e"}, {{"a b c d"}});
  EXPECT_EQ(longer.brevity_penalty, 1);
  EXPECT_DOUBLE_EQ(longer.LengthRatio(), 1.25);
}

TEST(Bleu, LowerOrdersLeaveOutTheLongerNgrams) {
  const BleuOptions options = {.smoothing = BleuSmoothing::kNone};
  const BleuScore bleu = Score({kHypothesis}, {{kReference}}, options);
  EXPECT_NEAR(bleu.Order(1), 100 * 5.0 / 6, 1e-9);
  EXPECT_NEAR(bleu.Order(2), 100 * std::sqrt(5.0 / 6 * 3 / 5), 1e-9);
  EXPECT_NEAR(bleu.Order(3), 100 * std::cbrt(5.0 / 6 * 3 / 5 / 4), 1e-9);
  EXPECT_EQ(bleu.Order(4), 0);
  // They pay the same penalty: 4 of 5 tokens.
  const BleuScore brief = Score({"a b c d"}, {{"a b c d e"}}, options);
  EXPECT_NEAR(brief.Order(1), 100 * std::exp(-0.25), 1e-9);
  EXPECT_EQ(brief.Order(4), brief.score);
}

TEST(Bleu, OrdersWithoutACountScore0) {
  const BleuScore bleu = Score({"a b c d"}, {{"a b c d"}});
  EXPECT_EQ(bleu.Order(0), 0);
  EXPECT_EQ(bleu.Order(5), 0);
  EXPECT_EQ(Score({""}, {{"a"}}).Order(1), 0);
}

TEST(Bleu, AnNgramMatchesAsOftenAsInTheReferenceThatHasItMost) {
  // The example of Papineni et al. 2002, section 2.1: 2 of 7.
  const BleuScore bleu = Score({"the the the the the the the"},
                               {{"the cat is on the mat"}, {"there is a cat on the mat"}});
  EXPECT_EQ(bleu.matches[0], 2);
  EXPECT_EQ(bleu.totals[0], 7);
  // Different n-grams may come from different references.
  EXPECT_THAT(Score({"a b c d"}, {{"a b x x"}, {"y y c d"}}).matches, ElementsAre(4, 2, 0, 0));
}

TEST(Bleu, ReferenceLengthIsTheClosest) {
  EXPECT_EQ(Score({"a b c d"}, {{"a"}, {"a b c d e"}, {"a b c d e f g"}}).reference_length, 5);
  // 3 and 5 are as close: the shorter.
  EXPECT_EQ(Score({"a b c d"}, {{"a b c d e"}, {"a b c"}}).reference_length, 3);
  EXPECT_EQ(Score({"a b c d"}, {{"a b c"}, {"a b c d e"}}).reference_length, 3);
}

TEST(Bleu, EmptyHypothesis) {
  const BleuScore empty = Score({""}, {{"a b c d"}});
  EXPECT_EQ(empty.score, 0);
  EXPECT_EQ(empty.brevity_penalty, 0);
  EXPECT_EQ(empty.reference_length, 4);

  // Beside another sentence it only shortens the hypotheses: 4 tokens instead of 8.
  const BleuScore half = Score({"a b c d", ""}, {{"a b c d", "e f g h"}});
  EXPECT_NEAR(half.score, 100 * std::exp(1 - 8.0 / 4), 1e-9);
}

TEST(Bleu, EmptyCorpora) {
  EXPECT_EQ(Score({}, {{}}).score, 0);
  EXPECT_EQ(Score({""}, {{""}}).score, 0);
  EXPECT_EQ(Score({"a b c d"}, {{""}}).score, 0);
  EXPECT_EQ(Score({"a b c d"}, {{""}}).LengthRatio(), 0);
}

TEST(Bleu, SmoothingDoesNotScoreWithoutAMatchOrWithoutAnNgram) {
  EXPECT_EQ(Score({"a b c d"}, {{"e f g h"}}).score, 0);
  // No hypothesis has 4 tokens: the order is not left out (eff:no).
  EXPECT_EQ(Score({"a b c"}, {{"a b c"}}).score, 0);
}

TEST(Bleu, AnEmptyLineIsNoReferenceBesideAnother) {
  const BleuScore bleu = Score({"a", "b c d e"}, {{"", "b c d e"}, {"a b c", "b"}});
  EXPECT_EQ(bleu.reference_length, 3 + 4);
  EXPECT_THAT(bleu.Signature(), HasSubstr("nrefs:var|"));
}

TEST(Bleu, LowercaseKnowsMoreThanAscii) {
  const Lines hypothesis = {"ÜBER DEN ΔΡΟΜΟΣ, Ja"};
  const Lines reference = {"über den δρομος, ja"};
  EXPECT_EQ(Score(hypothesis, {reference}).matches[0], 1);  // The comma.
  EXPECT_DOUBLE_EQ(Score(hypothesis, {reference}, {.lowercase = true}).score, 100);
}

TEST(Bleu, SignatureNamesAllThatChangesTheScore) {
  EXPECT_EQ(Score({"a"}, {{"a"}}).Signature(),
            "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:seq2seq-0.1.0");
  EXPECT_EQ(Score({"a"}, {{"a"}, {"b"}},
                  {.tokenization = Tokenization::kIntl,
                   .lowercase = true,
                   .smoothing = BleuSmoothing::kFloor})
                .Signature(),
            "nrefs:2|case:lc|eff:no|tok:intl|smooth:floor[0.10]|version:seq2seq-0.1.0");
}

TEST(Bleu, MosesTokensDependOnTheLanguage) {
  const auto score = [](Tokenization tokenization, MosesLanguage language) {
    return Score({"Wie geht's, Dr. Weiß?"}, {{"wie geht's, dr. Weiß?"}},
                 {.tokenization = tokenization, .language = language, .lowercase = true});
  };
  const BleuScore german = score(Tokenization::kMoses, MosesLanguage::kGerman);
  EXPECT_EQ(german.totals[0], 8);  // Wie geht ' s , Dr. Weiß ?
  EXPECT_EQ(german.matches[0], 7);
  EXPECT_EQ(german.Signature(),
            "nrefs:1|case:lc|eff:no|tok:moses-de|smooth:exp|version:seq2seq-0.1.0");
  const BleuScore english = score(Tokenization::kMosesNorm, MosesLanguage::kEnglish);
  EXPECT_EQ(english.totals[0], 7);  // Wie geht 's , Dr. Weiß ?
  EXPECT_EQ(english.Signature(),
            "nrefs:1|case:lc|eff:no|tok:moses-norm-en|smooth:exp|version:seq2seq-0.1.0");
}

TEST(Bleu, CountsThatDifferAreAnError) {
  const absl::Status status = CorpusBleu(Lines{"a", "b"}, {{"a", "b"}, {"a"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "there are 2 hypotheses, but reference 2 has 1 sentences");
  EXPECT_EQ(CorpusBleu(Lines{"a"}, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Tokenize, The13aTokenizerCutsAsciiPunctuation) {
  EXPECT_THAT(Tokens("Hello, world!"), ElementsAre("Hello", ",", "world", "!"));
  EXPECT_THAT(Tokens("a (b) [c] {d} \"e\" f/g h=i"),
              ElementsAre("a", "(", "b", ")", "[", "c", "]", "{", "d", "}", "\"", "e", "\"", "f",
                          "/", "g", "h", "=", "i"));
  // Apostrophes, and dashes behind letters, stay.
  EXPECT_THAT(Tokens("it's well-known"), ElementsAre("it's", "well-known"));
  EXPECT_THAT(Tokens("«Straße»…"), ElementsAre("«Straße»…"));
}

TEST(Tokenize, The13aTokenizerKeepsNumbersTogether) {
  EXPECT_THAT(Tokens("3,000.5 km in 2020."), ElementsAre("3,000.5", "km", "in", "2020", "."));
  EXPECT_THAT(Tokens("a.5 5.a .5"), ElementsAre("a", ".", "5", "5", ".", "a", ".", "5"));
  EXPECT_THAT(Tokens("1990-95"), ElementsAre("1990", "-", "95"));
  // Matches do not overlap: the first period is the other's left neighbour, and used up.
  EXPECT_THAT(Tokens("..5"), ElementsAre(".", ".5"));
}

TEST(Tokenize, The13aTokenizerUndoesMarkup) {
  EXPECT_THAT(Tokens("a&amp;b &lt;c&gt; &quot;"), ElementsAre("a", "&", "b", "<", "c", ">", "\""));
  EXPECT_THAT(Tokens("&amp;lt;"), ElementsAre("<"));
  EXPECT_THAT(Tokens("a <skipped>b over-\nflow\nc"), ElementsAre("a", "b", "overflow", "c"));
}

TEST(Tokenize, TheInternationalTokenizerCutsPunctuationAndSymbolsOfAllScripts) {
  const auto tokens = [](const std::string& line) { return Tokens(line, Tokenization::kIntl); };
  EXPECT_THAT(tokens("«Straße»… 5€"), ElementsAre("«", "Straße", "»", "…", "5", "€"));
  EXPECT_THAT(tokens("it's well-known"), ElementsAre("it", "'", "s", "well", "-", "known"));
  EXPECT_THAT(tokens("3,000.5 १,०००"), ElementsAre("3,000.5", "१,०००"));
  // As in mteval-v14, a period behind a number is cut everywhere but at the end of the line.
  EXPECT_THAT(tokens("in 2020. In 2020. "), ElementsAre("in", "2020", ".", "In", "2020."));
}

TEST(Tokenize, NoneSplitsAtTheSpacesOfUnicode) {
  EXPECT_THAT(Tokens(" a,\tb\u00A0c\u3000d ", Tokenization::kNone),
              ElementsAre("a,", "b", "c", "d"));
}

TEST(Tokenize, CharKeepsAllButSpaces) {
  EXPECT_THAT(Tokens("日本 é!", Tokenization::kChar), ElementsAre("日", "本", "é", "!"));
}

TEST(Tokenize, EmptyLines) {
  for (const Tokenization tokenization :
       {Tokenization::k13a, Tokenization::kNone, Tokenization::kIntl, Tokenization::kChar,
        Tokenization::kMoses, Tokenization::kMosesNorm}) {
    EXPECT_THAT(Tokens("", tokenization), IsEmpty());
    EXPECT_THAT(Tokens(" \t\u2003", tokenization), IsEmpty());
  }
}

TEST(Tokenize, LowercaseAgreesWithPython) {
  const auto lower = [](const std::string& line) {
    return Tokenize(line, Tokenization::kNone, /*lowercase=*/true);
  };
  EXPECT_THAT(lower("ÄÖÜ ẞ ДОМ"), ElementsAre("äöü", "ß", "дом"));
  EXPECT_THAT(lower("İ"), ElementsAre("i\u0307"));
  // A capital sigma is final behind a letter and at the end of the word only.
  EXPECT_THAT(lower("ΟΔΟΣ ΣΑΣ Σ ΟΔΟΣ' Ο'ΣΑ"), ElementsAre("οδος", "σας", "σ", "οδος'", "ο'σα"));
}

TEST(Tokenize, BytesThatAreNotUtf8AreSymbolsOfTheirOwn) {
  EXPECT_THAT(Tokens("a\xFF\xC3 b\xE2\x82", Tokenization::kNone),
              ElementsAre("a\xFF\xC3", "b\xE2\x82"));
  EXPECT_THAT(Tokens("a\xFF\xC3", Tokenization::kChar), ElementsAre("a", "\xFF", "\xC3"));
  // An encoded surrogate is not UTF-8 either.
  EXPECT_THAT(Tokens("\xED\xB3\xBF", Tokenization::kChar), ElementsAre("\xED", "\xB3", "\xBF"));
  EXPECT_THAT(Tokens("\xFF.", Tokenization::k13a), ElementsAre("\xFF", "."));
}

}  // namespace
}  // namespace seq2seq
