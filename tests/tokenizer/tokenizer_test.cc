#include "tokenizer/tokenizer.h"

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/base/enum_text.h"
#include "tests/testing/learn.h"
#include "tests/testing/temporary_folder.h"
#include "tokenizer/sentencepiece.h"
#include "tokenizer/train.h"

namespace seq2seq {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Ids = std::vector<int32_t>;

const char kSentence[] = "das Mädchen springt laut im Garten.";

std::vector<std::string> SampleLines() {
  return absl::StrSplit(SampleText(), '\n', absl::SkipEmpty());
}

// The status of loading a file with these bytes.
absl::Status LoadStatus(const std::string& bytes) {
  TemporaryFolder folder;
  const std::string path = folder.Write("joint.model", bytes);
  const absl::Status status = Tokenizer::Load(path).status();
  EXPECT_TRUE(status.ok() || absl::StrContains(status.message(), path)) << status;
  return status;
}

class EveryKind : public ::testing::TestWithParam<TokenizerKind> {
 protected:
  const std::optional<Tokenizer> tokenizer_ = Learn(SampleText(), GetParam());
};

// Those whose segmentations can be sampled.
using Sampling = EveryKind;

std::string KindName(const ::testing::TestParamInfo<TokenizerKind>& info) {
  return EnumText(info.param);
}

INSTANTIATE_TEST_SUITE_P(Tokenizer, EveryKind,
                         ::testing::Values(TokenizerKind::kBpe, TokenizerKind::kUnigram,
                                           TokenizerKind::kChar, TokenizerKind::kWord),
                         KindName);
INSTANTIATE_TEST_SUITE_P(Tokenizer, Sampling,
                         ::testing::Values(TokenizerKind::kBpe, TokenizerKind::kUnigram), KindName);

TEST_P(EveryKind, BeginsWithPadUnknownBosAndEos) {
  EXPECT_THAT(tokenizer_->Subwords({kPadId, kUnknownId, kBosId, kEosId}),
              ElementsAre("<pad>", "<unk>", "<s>", "</s>"));
}

TEST_P(EveryKind, DecodeUndoesEncode) {
  for (const std::string& line : SampleLines()) {
    const Ids ids = tokenizer_->Encode(line);
    EXPECT_EQ(tokenizer_->Decode(ids), line);
    EXPECT_THAT(ids, Each(Ge(4)));
  }
}

TEST_P(EveryKind, EmptyTextHasNoIds) {
  EXPECT_THAT(tokenizer_->Encode(""), IsEmpty());
  EXPECT_THAT(tokenizer_->Encode("  "), IsEmpty());
  EXPECT_EQ(tokenizer_->Decode({}), "");
}

TEST_P(EveryKind, UnseenCharactersAndBadBytesAreUnknown) {
  EXPECT_THAT(tokenizer_->Encode("犬"), Contains(kUnknownId));
  EXPECT_THAT(tokenizer_->Encode("\xff"), Contains(kUnknownId));
}

TEST_P(EveryKind, DecodeLeavesOutPadBosAndEosAndMarksUnknown) {
  Ids ids = {kBosId};
  for (const int32_t id : tokenizer_->Encode("der Hund")) ids.push_back(id);
  for (const int32_t id : {kEosId, kPadId, kPadId}) ids.push_back(id);
  EXPECT_EQ(tokenizer_->Decode(ids), tokenizer_->Decode(tokenizer_->Encode("der Hund")));
  EXPECT_EQ(tokenizer_->Decode({kUnknownId}), " ⁇ ");
}

TEST_P(EveryKind, ConcurrentEncodesEqualSingleOnes) {
  const std::vector<std::string> lines = SampleLines();
  std::vector<Ids> expected;
  for (const std::string& line : lines) expected.push_back(tokenizer_->Encode(line));
  std::vector<std::vector<Ids>> found(4);
  std::vector<std::thread> threads;
  for (std::vector<Ids>& mine : found) {
    threads.emplace_back([&, copy = *tokenizer_] {
      for (const std::string& line : lines) mine.push_back(copy.Encode(line));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(found, Each(expected));
}

TEST_P(EveryKind, SamplesAreAFunctionOfTheSeed) {
  const std::vector<std::string> lines = SampleLines();
  for (const uint32_t seed : {0u, 1u, ~0u}) {
    const std::vector<Ids> samples = tokenizer_->Sample(lines, 0.1, seed);
    tokenizer_->Sample(lines, 0.1, 77);
    EXPECT_EQ(tokenizer_->Sample(lines, 0.1, seed), samples) << seed;
  }
}

TEST_P(EveryKind, SamplesDecodeToTheSameText) {
  const std::vector<std::string> lines = SampleLines();
  const std::vector<Ids> samples = tokenizer_->Sample(lines, 0.3, 5);
  ASSERT_EQ(samples.size(), lines.size());
  for (size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(tokenizer_->Decode(samples[i]), lines[i]);
}

TEST_P(Sampling, SamplesDifferAcrossSeeds) {
  std::set<Ids> samples;
  for (uint32_t seed = 0; seed < 20; ++seed) {
    samples.insert(tokenizer_->Sample({{kSentence}}, 0.3, seed).front());
  }
  EXPECT_GT(samples.size(), 10u);
}

TEST_P(Sampling, SamplesOfOneCallDiffer) {
  const std::vector<std::string> texts(20, kSentence);
  const std::vector<Ids> samples = tokenizer_->Sample(texts, 0.3, 1);
  EXPECT_GT(std::set<Ids>(samples.begin(), samples.end()).size(), 10u);
}

TEST(Tokenizer, WithoutDropoutBpeSamplesAreTheBestSegmentation) {
  const auto tokenizer = Learn(SampleText(), TokenizerKind::kBpe);
  EXPECT_EQ(tokenizer->Sample({{kSentence}}, 0, 3).front(), tokenizer->Encode(kSentence));
}

TEST(Tokenizer, UnigramNBestAreDifferentSegmentationsOfTheTextBestFirst) {
  const auto tokenizer = Learn(SampleText(), TokenizerKind::kUnigram);
  const absl::StatusOr<std::vector<Ids>> found = tokenizer->EncodeNBest(kSentence, 8);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->size(), 8u);
  EXPECT_EQ(found->front(), tokenizer->Encode(kSentence));
  EXPECT_EQ(std::set<Ids>(found->begin(), found->end()).size(), 8u);
  for (const Ids& ids : *found) EXPECT_EQ(tokenizer->Decode(ids), kSentence);
}

TEST(Tokenizer, UnigramNBestAreFewerWhereThereAreNoMore) {
  const auto tokenizer = Learn(SampleText(), TokenizerKind::kUnigram);
  const absl::StatusOr<std::vector<Ids>> found = tokenizer->EncodeNBest("H", 1000);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_LT(found->size(), 3u);
}

TEST(Tokenizer, NBestOfOtherKindsIsAnError) {
  for (const auto kind : {TokenizerKind::kBpe, TokenizerKind::kChar, TokenizerKind::kWord}) {
    EXPECT_TRUE(
        absl::IsInvalidArgument(Learn(SampleText(), kind)->EncodeNBest("Hund", 2).status()));
  }
}

TEST(Tokenizer, PiecesShowTheStartsOfWords) {
  const auto tokenizer = Learn(SampleText(), TokenizerKind::kWord);
  EXPECT_THAT(tokenizer->Subwords(tokenizer->Encode("der Hund")), ElementsAre("▁der", "▁Hund"));
}

TEST(Tokenizer, LoadRefusesLargeFiles) {
  TemporaryFolder folder;
  const std::string bytes = Learn(SampleText(), TokenizerKind::kBpe)->model();
  const std::string path = folder.Write("joint.model", bytes);
  EXPECT_TRUE(Tokenizer::Load(path, bytes.size()).ok());
  const absl::Status status = Tokenizer::Load(path, bytes.size() - 1).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(path + ": has more than "));
}

TEST(Tokenizer, LoadRefusesEveryBeginningOfAModel) {
  const std::string bytes = Learn(SampleText())->model();
  ASSERT_TRUE(LoadStatus(bytes).ok());
  // Subwords of some 12 bytes, then a large table of the normaliser.
  for (size_t size = 0; size < bytes.size();
       size += size < 500 || size + 32 > bytes.size() ? 1 : 997) {
    EXPECT_TRUE(absl::IsInvalidArgument(LoadStatus(bytes.substr(0, size)))) << size;
  }
}

TEST(Tokenizer, GarbageIsNotAModel) {
  EXPECT_TRUE(absl::IsInvalidArgument(LoadStatus("Ein Hund rennt.\n")));
  EXPECT_TRUE(absl::IsInvalidArgument(LoadStatus(std::string(1000, '\0'))));
  EXPECT_TRUE(absl::IsInvalidArgument(LoadStatus(std::string(1000, '\xff'))));
  EXPECT_TRUE(absl::IsInvalidArgument(LoadStatus(std::string("\x1a\x00", 2))));  // No subwords.
}

TEST(Tokenizer, MissingModelIsNotFoundAndNamed) {
  TemporaryFolder folder;
  const absl::Status status = Tokenizer::Load(folder / "none.model").status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder / "none.model"));
}

// SentencePiece's own defaults: unk, bos and eos are 0, 1 and 2, and there is no pad.
TEST(Tokenizer, OtherSpecialIdsAreMapped) {
  const auto library = OpenSentencePiece();
  ASSERT_TRUE(library.ok()) << library.status();
  std::vector<std::string> lines = SampleLines();
  size_t next = 0;
  std::string bytes;
  ASSERT_EQ((*library)->train(
                {{"model_type", "bpe"}, {"vocab_size", "100"}, {"minloglevel", "2"}},
                [&](std::string& line) {
                  if (next == lines.size()) return false;
                  line = lines[next++];
                  return true;
                },
                bytes),
            "");
  TemporaryFolder folder;
  const auto mapped = Tokenizer::Load(folder.Write("other.model", bytes));
  ASSERT_TRUE(mapped.ok()) << mapped.status();
  EXPECT_EQ(mapped->size(), 101);  // With pad.
  EXPECT_THAT(mapped->Subwords({kPadId, kUnknownId, kBosId, kEosId}),
              ElementsAre("<pad>", "<unk>", "<s>", "</s>"));
  const Ids ids = mapped->Encode(kSentence);
  EXPECT_THAT(ids, Each(Ge(kEosId + 1)));
  EXPECT_EQ(mapped->Decode(ids), kSentence);
  EXPECT_THAT(mapped->Encode("\u6f22"), Contains(kUnknownId));
  Ids with_specials = {kBosId};
  with_specials.insert(with_specials.end(), ids.begin(), ids.end());
  with_specials.insert(with_specials.end(), {kEosId, kPadId});
  EXPECT_EQ(mapped->Decode(with_specials), kSentence);
  EXPECT_EQ(mapped->Decode(mapped->Sample({kSentence}, 0.1, 1)[0]), kSentence);
  std::set<std::string> subwords;  // Every id has one of its own.
  for (int32_t id = 0; id < mapped->size(); ++id) subwords.insert(mapped->Subwords({id})[0]);
  EXPECT_EQ(subwords.size(), 101u);
}

TEST(Tokenizer, WithByteFallbackNoCharacterIsUnknown) {
  TokenizerTrainOptions options;
  options.byte_fallback = true;
  options.vocab_size = 400;
  const auto tokenizer = Learn(SampleText(), options);
  const std::string text = "das \u6f22\u5b57 \U0001f600.";
  const Ids ids = tokenizer->Encode(text);
  EXPECT_THAT(ids, Each(Ge(kEosId + 1)));
  EXPECT_EQ(tokenizer->Decode(ids), text);
  EXPECT_THAT(tokenizer->Subwords(ids), Contains("<0xE6>"));
}

}  // namespace
}  // namespace seq2seq
