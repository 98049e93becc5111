#include "seq2seq/search/shortlist.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/weights/safetensors.h"
#include "tests/testing/temporary_folder.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kSources = 20;

// The end of sentence and `token`.
Array Frequent(int32_t token) {
  Array array = Array::Empty(ArrayType::kInt32, {2});
  array.values<int32_t>()[0] = kEosId;
  array.values<int32_t>()[1] = token;
  return array;
}

// Source subword i is translated as subword i of the second half of the target vocabulary.
Shortlist TestShortlist(int64_t target_vocab) {
  Array translations = Array::Empty(ArrayType::kInt32, {kSources, 1});
  for (int64_t i = 0; i < kSources; ++i)
    translations.values<int32_t>()[i] = static_cast<int32_t>(target_vocab / 2 + i);
  return Shortlist(translations, Frequent(7), {.tokens = {4, 9}, .log_weights = {0, 1.5}},
                   target_vocab);
}

TEST(Shortlist, HoldsTranslationsFrequentAndNeededTokens) {
  EXPECT_THAT(TestShortlist(2000).Tokens({3, 8, 3}, {1999, 1500}),
              ElementsAre(kEosId, 7, 1003, 1008, 1500, 1999));
}

TEST(Shortlist, MostOfAVocabularyIsAllOfIt) {
  const Shortlist shortlist = TestShortlist(40);
  TokenIds source, needed;
  for (int32_t i = 0; i < 20; ++i) source.push_back(i);
  for (int32_t i = 8; i < 16; ++i) needed.push_back(i);
  EXPECT_THAT(shortlist.Tokens(source, needed), SizeIs(30));
  needed.push_back(16);
  EXPECT_THAT(shortlist.Tokens(source, needed), IsEmpty());
}

// They have no tail; 0 fills up the lists.
TEST(Shortlist, FilesOfEarlierVersionsAreRead) {
  const TemporaryFolder folder;
  const std::string path = folder / "shortlist.safetensors";
  Array translations = Array::Empty(ArrayType::kInt32, {2, 2});
  const int32_t values[] = {50, 60, 70, 0};
  std::copy_n(values, 4, translations.values<int32_t>());
  ASSERT_TRUE(WriteArrays(path, {{"translations", translations}, {"frequent", Frequent(7)}}).ok());
  const auto shortlist = Shortlist::Load(path, /*source_vocab=*/2, /*target_vocab=*/100);
  ASSERT_TRUE(shortlist.ok()) << shortlist.status();
  EXPECT_THAT(shortlist->tail().tokens, IsEmpty());
  EXPECT_THAT(shortlist->Tokens({0}, {}), ElementsAre(kEosId, 7, 50, 60));
  EXPECT_THAT(shortlist->Tokens({1, 1}, {9}), ElementsAre(0, kEosId, 7, 9, 70));
}

TEST(Shortlist, ComesBackFromAFile) {
  const Shortlist shortlist = TestShortlist(2000);
  const TemporaryFolder folder;
  const std::string path = folder / "shortlist.safetensors";
  ASSERT_TRUE(shortlist.Save(path).ok());
  const auto loaded = Shortlist::Load(path, kSources, 2000);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->Tokens({1}, {}), shortlist.Tokens({1}, {}));
  EXPECT_THAT(loaded->tail().tokens, ElementsAre(4, 9));
  EXPECT_THAT(loaded->tail().log_weights, ElementsAre(0, 1.5));

  EXPECT_THAT(Shortlist::Load(path, kSources + 1, 2000).status().message(),
              AllOf(HasSubstr(path), HasSubstr("not a shortlist")));
  EXPECT_FALSE(Shortlist::Load(path, kSources, 10).ok());
  EXPECT_FALSE(Shortlist::Load(folder / "none", kSources, 2000).ok());
}

TEST(Shortlist, FilesOfOtherArraysAreRefused) {
  const TemporaryFolder folder;
  const std::string path = folder / "shortlist.safetensors";
  ASSERT_TRUE(TestShortlist(2000).Save(path).ok());
  const auto arrays = ReadArrays(path);
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  const std::string changed = folder / "changed.safetensors";
  const auto load = [&](const char* name, const Array& array) {
    ArrayMap other = *arrays;
    other[name] = array;
    EXPECT_TRUE(WriteArrays(changed, other).ok());
    return Shortlist::Load(changed, kSources, 2000).status();
  };
  EXPECT_TRUE(load("frequent", Frequent(1999)).ok());
  EXPECT_FALSE(load("frequent", Frequent(2000)).ok());
  EXPECT_FALSE(load("frequent", Frequent(-1)).ok());
  Array without_end = Frequent(7);
  without_end.values<int32_t>()[0] = 8;
  EXPECT_FALSE(load("frequent", without_end).ok());
  Array floats = Frequent(7);
  floats.type = ArrayType::kFloat32;
  EXPECT_FALSE(load("frequent", floats).ok());
  EXPECT_FALSE(load("translations", Frequent(7)).ok());  // Of one dimension.
  EXPECT_FALSE(load("tail_log_weights", Frequent(7)).ok());
  EXPECT_FALSE(load("tail", Frequent(2)).ok());  // Not ascending.
  ASSERT_TRUE(WriteArrays(changed, {{"frequent", Frequent(7)}}).ok());
  EXPECT_FALSE(Shortlist::Load(changed, kSources, 2000).ok());
}

}  // namespace
}  // namespace seq2seq
