#include "seq2seq/metrics/error_rate.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

using Lines = std::vector<std::string>;

constexpr ErrorRateOptions kCharacters = {.unit = ErrorUnit::kCharacter};

ErrorRate Result(const Lines& hypotheses, const std::vector<Lines>& references,
                 const ErrorRateOptions& options = {}) {
  const absl::StatusOr<ErrorRate> rate = CorpusErrorRate(hypotheses, references, options);
  EXPECT_TRUE(rate.ok()) << rate.status();
  return rate.value_or(ErrorRate{});
}

int64_t Errors(const std::string& hypothesis, const std::string& reference,
               const ErrorRateOptions& options = {}) {
  return Result({hypothesis}, {{reference}}, options).errors;
}

TEST(ErrorRate, CountsTheFewestEdits) {
  EXPECT_EQ(Errors("a b c", "a b c"), 0);
  EXPECT_EQ(Errors("a x c", "a b c"), 1);    // Substituted,
  EXPECT_EQ(Errors("a c", "a b c"), 1);      // deleted,
  EXPECT_EQ(Errors("a b b c", "a b c"), 1);  // inserted.
  EXPECT_EQ(Errors("b a", "a b"), 2);        // To swap takes two.
  // Not four substitutions: "a" goes, "e" comes.
  EXPECT_EQ(Errors("a b c d", "b c d e"), 2);
  EXPECT_EQ(Errors("", "a b c"), 3);
  EXPECT_EQ(Errors("a b c", ""), 3);
  // Levenshtein's usual example.
  EXPECT_EQ(Errors("kitten", "sitting", kCharacters), 3);
}

TEST(ErrorRate, IsErrorsOverTheReferencesLength) {
  // 1 of 4 and 0 of 1 tokens; one of two lines.
  const ErrorRate rate = Result({"HH AH L OW", "AH"}, {{"HH EH L OW", "AH"}});
  EXPECT_EQ(rate.errors, 1);
  EXPECT_EQ(rate.reference_length, 5);
  EXPECT_DOUBLE_EQ(rate.Rate(), 20);
  EXPECT_EQ(rate.wrong_lines, 1);
  EXPECT_EQ(rate.lines, 2);
  EXPECT_DOUBLE_EQ(rate.LineRate(), 50);
  // Two insertions to one token.
  EXPECT_DOUBLE_EQ(Result({"a b c"}, {{"a"}}).Rate(), 200);
}

TEST(ErrorRate, ALineIsComparedWithTheReferenceOfFewestErrors) {
  const ErrorRate rate = Result({"a b c d"}, {{"a x x d"}, {"a b d"}});
  EXPECT_EQ(rate.errors, 1);
  EXPECT_EQ(rate.reference_length, 3);
  // Of equals, whatever their order, with the longest.
  EXPECT_EQ(Result({"a b c"}, {{"a b"}, {"a b c d"}}).reference_length, 4);
  EXPECT_EQ(Result({"a b c"}, {{"a b c d"}, {"a b"}}).reference_length, 4);
}

TEST(ErrorRate, ALineThatIsAnyReferenceIsRight) {
  EXPECT_EQ(Result({"a b", "c"}, {{"a x", "c"}, {"a b", "d"}}).LineRate(), 0);
  EXPECT_EQ(Result({"a b", "e"}, {{"a x", "c"}, {"a b", "d"}}).LineRate(), 50);
}

TEST(ErrorRate, CharactersAreCodePointsAndSpacesBetweenWords) {
  EXPECT_EQ(Errors("aü", "aö", kCharacters), 1);
  EXPECT_EQ(Errors("ab", "a b", kCharacters), 1);
  EXPECT_EQ(Result({"x"}, {{" a  b "}}, kCharacters).reference_length, 3);
  EXPECT_EQ(Errors(" a  b", "a b ", kCharacters), 0);
}

TEST(ErrorRate, TokensStandBetweenSpaces) {
  EXPECT_EQ(Errors(" a  b\t", "a b"), 0);
  EXPECT_EQ(Errors("a,b", "a b"), 2);
}

TEST(ErrorRate, Lowercase) {
  EXPECT_EQ(Errors("Ä b", "ä B"), 2);
  EXPECT_EQ(Errors("Ä b", "ä B", {.lowercase = true}), 0);
  EXPECT_EQ(Errors("Ä b", "ä B", {.unit = ErrorUnit::kCharacter, .lowercase = true}), 0);
}

TEST(ErrorRate, WithoutReferenceTokens) {
  EXPECT_EQ(Result({}, {{}}).Rate(), 0);
  EXPECT_EQ(Result({}, {{}}).LineRate(), 0);
  EXPECT_EQ(Result({""}, {{""}}).Rate(), 0);
  EXPECT_DOUBLE_EQ(Result({"a b"}, {{""}}).Rate(), 200);
  EXPECT_DOUBLE_EQ(Result({"a b"}, {{""}}).LineRate(), 100);
}

TEST(ErrorRate, AnEmptyLineIsNoReferenceBesideAnother) {
  EXPECT_EQ(Result({""}, {{""}, {"a"}}).errors, 1);
}

TEST(ErrorRate, SignatureNamesAllThatChangesTheRates) {
  EXPECT_EQ(Result({"a"}, {{"a"}}).Signature(),
            "nrefs:1|case:mixed|unit:token|version:seq2seq-0.1.0");
  EXPECT_EQ(Result({"a", "b"}, {{"a", "b"}, {"a", ""}},
                   {.unit = ErrorUnit::kCharacter, .lowercase = true})
                .Signature(),
            "nrefs:var|case:lc|unit:character|version:seq2seq-0.1.0");
}

TEST(ErrorRate, CountsThatDifferAreAnError) {
  const absl::Status status = CorpusErrorRate(Lines{"a"}, {{"a", "b"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("1 hypotheses, but reference 1 has 2"));
  EXPECT_EQ(CorpusErrorRate(Lines{"a"}, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace seq2seq
