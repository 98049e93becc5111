#include "seq2seq/search/vocabulary.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr size_t kAll = std::numeric_limits<size_t>::max();

class VocabularyTest : public ::testing::Test {
 protected:
  // The id of a subword.
  int32_t Id(const std::string& subword) const {
    for (size_t id = 0; id < subwords_.size(); ++id) {
      if (subwords_[id] == subword) return static_cast<int32_t>(id);
    }
    ADD_FAILURE() << subword;
    return 0;
  }
  bool InOneWord(const std::string& before, const std::string& subword) const {
    return vocabulary_.InOneWord(Id(before), Id(subword));
  }

  const std::vector<std::string> subwords_ = {"<pad>", "<unk>", "<s>", "</s>",   "▁",  "▁Hund",
                                              "e",     "ü",     ".",   "▁.",     "7",  "▁犬",
                                              "は",    "한",    "e",   "<0xC3>", "'s", "▁der▁Hund"};
  const Vocabulary vocabulary_{subwords_};
};

TEST_F(VocabularyTest, WordsEndAtSpacesPunctuationAndTheEnd) {
  for (const char* inner : {"e", "ü", "7", "<0xC3>", "한"}) {
    EXPECT_TRUE(InOneWord("▁Hund", inner)) << inner;
    EXPECT_TRUE(InOneWord(inner, "e")) << inner;
    EXPECT_FALSE(InOneWord(".", inner)) << inner;
    EXPECT_FALSE(InOneWord("▁", inner)) << inner;
    EXPECT_FALSE(InOneWord("<s>", inner)) << inner;
  }
  for (const char* outer : {"▁", "▁Hund", ".", "▁.", "</s>", "<unk>", "'s"})
    EXPECT_FALSE(InOneWord("▁Hund", outer)) << outer;
}

TEST_F(VocabularyTest, EachCharacterOfAScriptWithoutSpacesIsAWord) {
  EXPECT_FALSE(InOneWord("▁犬", "は"));
  EXPECT_FALSE(InOneWord("▁犬", "e"));
  EXPECT_FALSE(InOneWord("e", "は"));
}

TEST_F(VocabularyTest, KnowsItsTexts) {
  EXPECT_EQ(vocabulary_.text(Id("▁der▁Hund")), " der Hund");
  EXPECT_EQ(vocabulary_.text(Id("<0xC3>")), "\xC3");
  EXPECT_EQ(vocabulary_.text(Id("</s>")), "");
  EXPECT_THAT(vocabulary_.Find("e"), ElementsAre(6, 14));
  EXPECT_THAT(vocabulary_.Find(" Hund"), ElementsAre(5));
  EXPECT_THAT(vocabulary_.Find(" Hun"), IsEmpty());
  EXPECT_THAT(vocabulary_.Find(""), IsEmpty());
  EXPECT_TRUE(vocabulary_.can_continue());
  EXPECT_FALSE(
      Vocabulary(std::vector<std::string>{"<pad>", "<unk>", "<s>", "</s>", "▁a"}).can_continue());
}

TEST_F(VocabularyTest, TailIsTheLastOfTheText) {
  const std::vector<int32_t> tokens = {Id("▁Hund"), Id("e"), Id("▁"), Id("▁Hund"), Id(".")};
  EXPECT_EQ(vocabulary_.Tail(tokens, kAll), " Hunde Hund.");
  EXPECT_EQ(vocabulary_.Tail(tokens, 1), ".");
  EXPECT_EQ(vocabulary_.Tail(tokens, 2), " Hund.");
  EXPECT_EQ(vocabulary_.Tail({}, kAll), " ");
  EXPECT_EQ(vocabulary_.Tail(std::vector<int32_t>{Id("e")}, kAll), " e");
}

}  // namespace
}  // namespace seq2seq
