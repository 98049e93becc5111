#include "seq2seq/search/unknown_words.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/testing/temporary_folder.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

// "x ⁇ y ⁇" from "Ann meets Bob", whose first and last words the unknown ones are aligned to.
Candidate WithUnknown() {
  Candidate candidate;
  candidate.text = "x \u2047  y \u2047";
  candidate.tokens = {4, kUnknownId, 5, kUnknownId};
  candidate.subwords = {"▁x", "<unk>", "▁y", "<unk>"};
  candidate.alignment.source = {"▁A", "nn", "▁meets", "▁Bob", "</s>"};
  candidate.alignment.weights = {{0.1F, 0.1F, 0.6F, 0.1F, 0.1F},
                                 {0.1F, 0.4F, 0.1F, 0.0F, 0.4F},
                                 {0.1F, 0.1F, 0.6F, 0.1F, 0.1F},
                                 {0.0F, 0.0F, 0.1F, 0.2F, 0.7F},
                                 {0.0F, 0.0F, 0.0F, 0.0F, 1.0F}};
  return candidate;
}

TEST(ReplaceUnknownWords, TakesTheAlignedWords) {
  Candidate candidate = WithUnknown();
  ReplaceUnknownWords("Ann meets  Bob", nullptr, candidate);
  EXPECT_EQ(candidate.text, "x Ann y Bob");
}

TEST(ReplaceUnknownWords, TranslatesThemByTheLexicon) {
  const TemporaryFolder folder;
  const auto lexicon =
      Lexicon::Load(folder.Write("lexicon", "Ann\tAnna\t0.9\nAnn\tHanna\t0.1\nto\tzu\n"));
  ASSERT_TRUE(lexicon.ok()) << lexicon.status();
  Candidate candidate = WithUnknown();
  ReplaceUnknownWords("Ann meets Bob", &*lexicon, candidate);
  EXPECT_EQ(candidate.text, "x Anna y Bob");
}

// Of a model of words, whose unknown one has no mark of its beginning.
TEST(ReplaceUnknownWords, FindsUnknownWordsOfTheSource) {
  Candidate candidate = WithUnknown();
  candidate.alignment.source = {"▁An", "<unk>", "▁meets", "▁Bob", "</s>"};
  ReplaceUnknownWords("An \u6f22 meets Bob", nullptr, candidate);
  EXPECT_EQ(candidate.text, "x \u6f22 y Bob");
}

TEST(ReplaceUnknownWords, LeavesWhatTheLineDoesNotTell) {
  Candidate candidate = WithUnknown();
  ReplaceUnknownWords("Ann meets Bob too", nullptr, candidate);  // Not these subwords.
  EXPECT_EQ(candidate.text, "x \u2047  y \u2047");
  candidate.alignment = {};
  ReplaceUnknownWords("Ann meets Bob", nullptr, candidate);
  EXPECT_EQ(candidate.text, "x \u2047  y \u2047");
}

TEST(Lexicon, ErrorsNameTheLine) {
  const TemporaryFolder folder;
  EXPECT_THAT(std::string(Lexicon::Load(folder.Write("lexicon", "a\tb\nc d\n")).status().message()),
              HasSubstr("lexicon:2: expected word<TAB>translation, found 'c d'"));
}

}  // namespace
}  // namespace seq2seq
