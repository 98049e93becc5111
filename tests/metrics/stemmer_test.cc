#include "seq2seq/metrics/stemmer.h"

#include <string>

#include <gtest/gtest.h>

namespace seq2seq {
namespace {

TEST(Stemmer, EnglishStems) {
  const absl::StatusOr<Stemmer> english = Stemmer::Create("english");
  ASSERT_TRUE(english.ok()) << english.status();
  EXPECT_EQ(english->Stem("jumping"), "jump");
  EXPECT_EQ(english->Stem("dogs"), "dog");
  EXPECT_EQ(english->Stem("generously"), "generous");
}

TEST(Stemmer, PorterIsTheOlderEnglishOne) {
  const absl::StatusOr<Stemmer> porter = Stemmer::Create("porter");
  ASSERT_TRUE(porter.ok()) << porter.status();
  EXPECT_EQ(porter->Stem("generously"), "gener");
}

TEST(Stemmer, KeepsWhatIsNoWord) {
  const absl::StatusOr<Stemmer> english = Stemmer::Create("en");
  ASSERT_TRUE(english.ok()) << english.status();
  EXPECT_EQ(english->Stem(""), "");
  EXPECT_EQ(english->Stem("42"), "42");
  EXPECT_EQ(english->Stem("日本"), "日本");
  EXPECT_EQ(english->Stem("\xFF\xC3"), "\xFF\xC3");
}

TEST(Stemmer, UnknownLanguage) {
  EXPECT_EQ(Stemmer::Create("").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Stemmer::Create("English").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace seq2seq
