#include "seq2seq/search/forbidden_words.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tokenizer/tokenizer.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;

const std::vector<std::string> kSubwords = {"<pad>", "<unk>", "<s>", "</s>", "▁a",
                                            "b",     "▁ab",   "▁",   "a",    "."};
constexpr int32_t kA = 4, kB = 5, kAb = 6, kSpace = 7, kDot = 9;
constexpr size_t kMaxLength = 5;

// Words and full stops, with a space around each; a full stop after a space does not touch a word.
std::string Words(const TokenIds& tokens) {
  std::string text;
  for (const int32_t token : tokens) text += kSubwords[static_cast<size_t>(token)];
  text = absl::StrCat(" ", absl::StrReplaceAll(text, {{"▁.", " _ . "}, {"▁", " "}, {".", " . "}}),
                      " ");
  while (text.find("  ") != std::string::npos) text = absl::StrReplaceAll(text, {{"  ", " "}});
  return text;
}

// All translations that begin with `given` and that the rules allow.
std::set<TokenIds> Translations(const ForbiddenWords& forbidden, const TokenIds& given,
                                bool cannot_go_back) {
  std::set<TokenIds> all;
  const std::function<void(const TokenIds&)> extend = [&](const TokenIds& tokens) {
    std::vector<float> scores(kSubwords.size(), 0);
    if (tokens.size() < kMaxLength) {
      const bool at_once = cannot_go_back || tokens.size() + 1 == kMaxLength;
      forbidden.Apply(tokens, given.size(), at_once, {absl::MakeSpan(scores), 0, {}});
    }
    if (std::isfinite(scores[kEosId])) all.insert(tokens);
    if (tokens.size() == kMaxLength) return;
    for (int32_t token = kEosId + 1; token < static_cast<int32_t>(kSubwords.size()); ++token) {
      if (!std::isfinite(scores[static_cast<size_t>(token)])) continue;
      TokenIds next = tokens;
      next.push_back(token);
      extend(next);
    }
  };
  extend(given);
  return all;
}

struct Case {
  std::vector<TokenIds> phrases;
  std::vector<std::string> words;
};

const Case kCases[] = {
    {{{kAb}}, {" ab "}},       {{{kA, kB}}, {" ab "}},
    {{{kA, kAb}}, {" a ab "}}, {{{kAb}, {kA, kA}, {kSpace}}, {" ab ", " a a "}},
    {{{kDot}}, {" . "}},       {{{kA, kDot}}, {" a . "}},
};

TEST(ForbiddenWords, AgreeWithLookingForThemInTheText) {
  const Vocabulary vocabulary(kSubwords);
  const ForbiddenWords none({}, vocabulary, true);
  const std::set<TokenIds> everything = Translations(none, {}, false);
  for (const Case& one : kCases) {
    const ForbiddenWords forbidden(one.phrases, vocabulary, true);
    std::set<TokenIds> expected;
    for (const TokenIds& tokens : everything) {
      bool holds = false;
      for (const std::string& word : one.words)
        holds = holds || Words(tokens).find(word) != std::string::npos;
      if (!holds) expected.insert(tokens);
      EXPECT_EQ(forbidden.Find(tokens).empty(), !holds) << Words(tokens);
    }
    ASSERT_LT(expected.size(), everything.size());
    EXPECT_EQ(Translations(forbidden, {}, false), expected) << one.words[0];
  }
}

TEST(ForbiddenWords, AreNotEvenSpeltWhereSearchCannotGoBack) {
  const Vocabulary vocabulary(kSubwords);
  const ForbiddenWords forbidden(std::vector<TokenIds>{{kAb}}, vocabulary, true);
  const std::set<TokenIds> found = Translations(forbidden, {}, true);
  for (const TokenIds& tokens : found) EXPECT_EQ(Words(tokens).find(" ab"), std::string::npos);
  EXPECT_EQ(found.count({kA, kA, kDot, kB}), 1u);
  // As where no word may begin with them.
  EXPECT_EQ(
      Translations(ForbiddenWords(std::vector<TokenIds>{{kAb}}, vocabulary, false), {}, false),
      found);
}

TEST(ForbiddenWords, WhatIsGivenMayHoldThem) {
  const Vocabulary vocabulary(kSubwords);
  const ForbiddenWords forbidden(std::vector<TokenIds>{{kAb}}, vocabulary, true);
  const std::set<TokenIds> found = Translations(forbidden, {kA, kB}, false);
  EXPECT_EQ(found.count({kA, kB}), 1u);
  EXPECT_EQ(found.count({kA, kB, kDot}), 1u);
  EXPECT_EQ(found.count({kA, kB, kAb}), 0u);
}

TEST(ForbiddenWords, OfAVocabularyOfWordsAreLeftOut) {
  const Vocabulary vocabulary(
      std::vector<std::string>{"<pad>", "<unk>", "<s>", "</s>", "▁a", "▁b", "▁c"});
  const ForbiddenWords forbidden(std::vector<TokenIds>{{4}, {5, 6}}, vocabulary, true);
  std::vector<float> scores(7, 0);
  forbidden.Apply({6, 5}, 0, false, {absl::MakeSpan(scores), 0, {}});
  EXPECT_THAT(scores, ElementsAre(0, 0, 0, 0, -INFINITY, 0, -INFINITY));
  EXPECT_TRUE(forbidden.Bars({6, 5}, 0, false, 6));
  EXPECT_FALSE(forbidden.Bars({6, 6}, 0, false, 6));
}

}  // namespace
}  // namespace seq2seq
