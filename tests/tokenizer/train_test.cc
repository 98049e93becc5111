#include "tokenizer/train.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/base/log.h"
#include "tests/testing/learn.h"
#include "tests/testing/temporary_folder.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr TokenizerKind kKinds[] = {TokenizerKind::kBpe, TokenizerKind::kUnigram,
                                    TokenizerKind::kChar, TokenizerKind::kWord};

TokenizerTrainOptions WithNormalization(const std::string& normalization) {
  TokenizerTrainOptions options;
  options.normalization = normalization;
  return options;
}

// Trains on a file with `text`, which must fail and leave no model behind.
absl::Status LearnError(const std::string& text, TokenizerTrainOptions options = {}) {
  TemporaryFolder folder;
  options.input = {folder.Write("text", text)};
  options.model = folder / "model";
  const absl::Status status = TrainTokenizer(options);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(folder.Names(), ElementsAre("text"));
  return status;
}

TEST(TrainTokenizer, HoldsToTheSizeOfTheVocabulary) {
  TokenizerTrainOptions options;
  options.vocab_size = 60;
  EXPECT_EQ(Learn(SampleText(), options)->size(), 60);
}

TEST(TrainTokenizer, VocabularyLargerThanTheTextAllowsIsSmaller) {
  for (const TokenizerKind kind : kKinds) {
    TokenizerTrainOptions options;
    options.kind = kind;
    options.vocab_size = 7999;
    const auto tokenizer = Learn(SampleText(), options);
    EXPECT_LT(tokenizer->size(), 1000);
    EXPECT_THAT(tokenizer->Encode("der Hund rennt im Garten."), Not(Contains(kUnknownId)));
  }
}

TEST(TrainTokenizer, VocabularySmallerThanTheCharactersIsAnError) {
  TokenizerTrainOptions options;
  options.vocab_size = 5;
  EXPECT_TRUE(absl::IsInvalidArgument(LearnError(SampleText(), options)));
}

TEST(TrainTokenizer, JointModelKnowsBothLanguages) {
  TemporaryFolder folder;
  TokenizerTrainOptions options;
  options.input = {folder.Write("de", "der Hund läuft\n"), folder.Write("ru", "собака бежит\n")};
  options.model = folder / "model";
  options.vocab_size = 50;
  ASSERT_TRUE(TrainTokenizer(options).ok());
  const absl::StatusOr<Tokenizer> tokenizer = Tokenizer::Load(options.model);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode("läuft бежит")), "läuft бежит");
}

TEST(TrainTokenizer, ByteFallbackIsForSubwordsOnly) {
  TokenizerTrainOptions options;
  options.kind = TokenizerKind::kWord;
  options.byte_fallback = true;
  EXPECT_EQ(TrainTokenizer(options).message(),
            "byte_fallback: needs a tokenizer of type bpe or unigram, found word");
}

TEST(TrainTokenizer, SymbolsAreNeverSplit) {
  for (const TokenizerKind kind :
       {TokenizerKind::kBpe, TokenizerKind::kUnigram, TokenizerKind::kChar}) {
    TokenizerTrainOptions options;
    options.kind = kind;
    options.symbols = {"<name>", "<a,b>", "\"q\""};
    const auto tokenizer = Learn(SampleText(), options);
    const auto pieces = tokenizer->Subwords(tokenizer->Encode("Hund<name>Hund <a,b> x\"q\""));
    EXPECT_THAT(pieces, AllOf(Contains("<name>"), Contains("<a,b>"), Contains("\"q\"")));
    for (const auto& samples : tokenizer->Sample({{"Hund<name>"}}, 0.9, 1)) {
      EXPECT_THAT(tokenizer->Subwords(samples), Contains("<name>"));
    }
  }
}

TEST(TrainTokenizer, SymbolsThatHaveAMeaningAreRefused) {
  for (const char* symbol : {"<pad>", "<unk>", "<s>", "</s>", ""}) {
    TokenizerTrainOptions options;
    options.symbols = {symbol};
    EXPECT_THAT(std::string(LearnError(SampleText(), options).message()),
                HasSubstr(absl::StrCat("'", symbol, "'")));
  }
}

TEST(TrainTokenizer, SymbolThatIsThereTwiceIsNamed) {
  TokenizerTrainOptions options;
  options.symbols = {"<a>", "<b>", "<a>"};
  EXPECT_THAT(std::string(LearnError(SampleText(), options).message()), HasSubstr("'<a>'"));
}

TEST(TrainTokenizer, FolderInPlaceOfTheModelIsSeenBeforeTheTextIsRead) {
  TemporaryFolder folder;
  TokenizerTrainOptions options;
  options.input = {folder.Write("text", "")};  // Of which reading would complain.
  options.model = folder.path();
  EXPECT_THAT(std::string(TrainTokenizer(options).message()),
              HasSubstr(folder.path() + ": is a folder"));
}

TEST(TrainTokenizer, CaseFoldingNormalizationForgetsCase) {
  const auto tokenizer = Learn(SampleText(), WithNormalization("nmt_nfkc_cf"));
  EXPECT_EQ(tokenizer->Encode("DER HUND"), tokenizer->Encode("der hund"));
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode("Der Hund")), "der hund");
}

TEST(TrainTokenizer, IdentityNormalizationKeepsWhatNfkcReplaces) {
  const std::string text = "Ａ A ﬁ fi\n";
  const auto nfkc = Learn(text, WithNormalization("nmt_nfkc"));
  EXPECT_EQ(nfkc->Decode(nfkc->Encode("Ａﬁ")), "Afi");
  const auto identity = Learn(text, WithNormalization("identity"));
  EXPECT_EQ(identity->Decode(identity->Encode("Ａﬁ")), "Ａﬁ");
}

TEST(TrainTokenizer, UnknownNormalizationIsAnErrorThatNamesIt) {
  EXPECT_THAT(std::string(LearnError(SampleText(), WithNormalization("nfkd")).message()),
              HasSubstr("nfkd"));
}

TEST(TrainTokenizer, LearnsFromSomeOfTheLines) {
  TokenizerTrainOptions options;
  options.max_sentences = 150;
  EXPECT_GT(Learn(SampleText(), options)->size(), 30);
}

TEST(TrainTokenizer, PassesOverLinesThatAreNotUtf8AndCountsThem) {
  std::vector<std::string> said;
  SetLogSink([&](LogLevel, absl::string_view message) { said.emplace_back(message); });
  const auto tokenizer = Learn("\xffQ\nHund\nQ\xfe\nKatze\n\xff");
  SetLogSink(nullptr);
  EXPECT_THAT(tokenizer->Encode("Hund Katze"), Not(Contains(kUnknownId)));
  EXPECT_THAT(tokenizer->Encode("Q"), Contains(kUnknownId));
  EXPECT_THAT(said, ElementsAre(HasSubstr(" 3 lines")));
}

TEST(TrainTokenizer, TextWithoutWordsIsAnErrorThatNamesTheFile) {
  for (const TokenizerKind kind : kKinds) {
    TokenizerTrainOptions options;
    options.kind = kind;
    for (const char* text :
         {"", "\n\n", "  \n\t\n", "\xff\n", "\u3000\n", "\u00a0 \u2003\n", "\u200b\n", "\u0001\n",
          "\ufeff\ufeff\n", "\u00ad\n", "\u2028\n", "\ufffd\n", "\u2581\n"}) {
      EXPECT_THAT(std::string(LearnError(text, options).message()), HasSubstr("/text: no text"));
    }
  }
}

TEST(TrainTokenizer, LearnsFromOneLetter) {
  for (const TokenizerKind kind : kKinds) EXPECT_GE(Learn("a\n", kind)->size(), 5);
}

TEST(TrainTokenizer, NoInputIsAnError) {
  TemporaryFolder folder;
  TokenizerTrainOptions options;
  options.model = folder / "model";
  EXPECT_TRUE(absl::IsInvalidArgument(TrainTokenizer(options)));
  EXPECT_THAT(folder.Names(), IsEmpty());
}

TEST(TrainTokenizer, MissingInputIsNotFoundAndNamed) {
  TemporaryFolder folder;
  TokenizerTrainOptions options;
  options.input = {folder.Write("a", "Hund\n"), folder / "none"};
  options.model = folder / "model";
  const absl::Status status = TrainTokenizer(options);
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder / "none"));
}

TEST(TrainTokenizer, TruncatedGzipIsDataLossAndLeavesNoModel) {
  EXPECT_TRUE(absl::IsDataLoss(LearnError(std::string("\x1f\x8b\x08\x00\x00\x00", 6))));
}

TEST(TrainTokenizer, FailedWriteNamesTheModel) {
  TemporaryFolder folder;
  TokenizerTrainOptions options;
  options.input = {folder.Write("text", SampleText())};
  options.model = folder / "none/model";
  options.vocab_size = 100;
  const absl::Status status = TrainTokenizer(options);
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(options.model));
}

}  // namespace
}  // namespace seq2seq
