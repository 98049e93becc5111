#include "seq2seq/search/shortlist.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/data/learn_shortlist.h"
#include "seq2seq/data/lexical_model.h"
#include "seq2seq/data/source_encoder.h"
#include "seq2seq/weights/safetensors.h"
#include "tests/testing/learn.h"
#include "tests/testing/temporary_folder.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Words s0 to s9 become t0 to t9, in reverse order, after a word "the" that none of them generates.
class ShortlistTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string source, target;
    for (int i = 0; i < 10; ++i) {
      for (int j = 0; j < 10; ++j) {
        absl::StrAppend(&source, "s", i, " s", j, "\n");
        absl::StrAppend(&target, "the t", j, " t", i, "\n");
      }
    }
    source_ = Learn(source, TokenizerKind::kWord);
    target_ = Learn(target, TokenizerKind::kWord);
    auto corpus = Corpus::Build({folder_.Write("a", source), folder_.Write("b", target)},
                                EncodeText(*source_), *target_, {}, folder_ / "corpus");
    ASSERT_TRUE(corpus.ok()) << corpus.status();
    corpus_.emplace(*std::move(corpus));
  }

  int32_t Source(int word) const { return source_->Encode(absl::StrCat("s", word))[0]; }
  int32_t Target(int word) const { return target_->Encode(absl::StrCat("t", word))[0]; }

  TemporaryFolder folder_;
  std::optional<Tokenizer> source_, target_;
  std::optional<Corpus> corpus_;
};

TEST_F(ShortlistTest, LexicalModelFindsWhatBecomesWhat) {
  const auto lists = LearnLexicalModel(*corpus_, source_->size());
  ASSERT_EQ(lists.size(), static_cast<size_t>(source_->size()));
  for (int word = 0; word < 10; ++word) {
    const auto& list = lists[static_cast<size_t>(Source(word))];
    ASSERT_FALSE(list.empty());
    EXPECT_EQ(list[0].token, Target(word));
    EXPECT_GT(list[0].probability, 0.5f);
    double sum = 0;
    for (const LexicalTranslation& translation : list)
      sum += static_cast<double>(translation.probability);
    EXPECT_NEAR(sum, 1, 0.01);
  }
  EXPECT_EQ(lists[kPadId][0].token, target_->Encode("the")[0]);
  EXPECT_THAT(lists[kUnknownId], IsEmpty());
}

TEST_F(ShortlistTest, OneSampledPairDecidesAlone) {
  const auto lists = LearnLexicalModel(*corpus_, source_->size(), /*most_pairs=*/1);
  const auto& list = lists[static_cast<size_t>(Source(0))];  // Of the first pair, "s0 s0".
  ASSERT_THAT(list, SizeIs(2));                              // "the" and "t0".
  EXPECT_THAT(lists[static_cast<size_t>(Source(5))], IsEmpty());
}

// A vocabulary of 2,000, of which only the words above occur.
Shortlist LargeShortlist(const Corpus& corpus, const Tokenizer& source) {
  return LearnShortlist(corpus, source.size(), /*target_vocab=*/2000,
                        {.translations = 1, .frequent = 2});
}

TEST_F(ShortlistTest, HoldsTranslationsFrequentAndNeededTokens) {
  const Shortlist shortlist = LargeShortlist(*corpus_, *source_);
  const std::vector<int32_t> source = {Source(3), Source(7)};
  const std::vector<absl::Span<const int32_t>> sources = {source};
  const TokenIds tokens = shortlist.Tokens(sources, {1999, 1500});
  EXPECT_THAT(tokens, SizeIs(256));
  EXPECT_TRUE(std::is_sorted(tokens.begin(), tokens.end()));
  for (const int32_t token :
       {Target(3), Target(7), kEosId, target_->Encode("the")[0], 1999, 1500}) {
    EXPECT_THAT(tokens, Contains(token));
  }
  EXPECT_THAT(tokens, Not(Contains(1000)));
}

TEST_F(ShortlistTest, MostOfAVocabularyIsAllOfIt) {
  const Shortlist shortlist = LearnShortlist(*corpus_, source_->size(), /*target_vocab=*/300);
  EXPECT_THAT(shortlist.Tokens({}, {}), IsEmpty());
}

TEST_F(ShortlistTest, ComesBackFromAFile) {
  const Shortlist shortlist = LargeShortlist(*corpus_, *source_);
  const std::string path = folder_ / "shortlist.safetensors";
  ASSERT_TRUE(shortlist.Save(path).ok());
  const auto loaded = Shortlist::Load(path, source_->size(), 2000);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const std::vector<int32_t> source = {Source(1)};
  const std::vector<absl::Span<const int32_t>> sources = {source};
  EXPECT_EQ(loaded->Tokens(sources, {}), shortlist.Tokens(sources, {}));

  EXPECT_THAT(Shortlist::Load(path, source_->size() + 1, 2000).status().message(),
              AllOf(HasSubstr(path), HasSubstr("not a shortlist")));
  EXPECT_FALSE(Shortlist::Load(path, source_->size(), 10).ok());
  EXPECT_FALSE(Shortlist::Load(folder_ / "none", source_->size(), 2000).ok());
}

TEST_F(ShortlistTest, FilesOfOtherArraysAreRefused) {
  const std::string path = folder_ / "shortlist.safetensors";
  ASSERT_TRUE(LargeShortlist(*corpus_, *source_).Save(path).ok());
  const auto arrays = ReadArrays(path);
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  const std::string changed = folder_ / "changed.safetensors";
  const auto load = [&](const char* name, const Array& array) {
    ArrayMap other = *arrays;
    other[name] = array;
    EXPECT_TRUE(WriteArrays(changed, other).ok());
    return Shortlist::Load(changed, source_->size(), 2000).status();
  };
  const auto frequent = [](int32_t token) {
    Array array = Array::Empty(ArrayType::kInt32, {2});
    array.values<int32_t>()[0] = kEosId;
    array.values<int32_t>()[1] = token;
    return array;
  };
  EXPECT_TRUE(load("frequent", frequent(1999)).ok());
  EXPECT_FALSE(load("frequent", frequent(2000)).ok());
  EXPECT_FALSE(load("frequent", frequent(-1)).ok());
  Array without_end = frequent(7);
  without_end.values<int32_t>()[0] = 8;
  EXPECT_FALSE(load("frequent", without_end).ok());
  Array floats = frequent(7);
  floats.type = ArrayType::kFloat32;
  EXPECT_FALSE(load("frequent", floats).ok());
  EXPECT_FALSE(load("translations", frequent(7)).ok());  // Of one dimension.
  ASSERT_TRUE(WriteArrays(changed, {{"frequent", frequent(7)}}).ok());
  EXPECT_FALSE(Shortlist::Load(changed, source_->size(), 2000).ok());
}

}  // namespace
}  // namespace seq2seq
