#include "seq2seq/search/kept_text.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> Find(const std::vector<std::string>& expressions,
                              const std::string& source, size_t most = 100,
                              size_t max_bytes = 10'000) {
  const auto kept = KeptText::Compile(expressions);
  EXPECT_TRUE(kept.ok()) << kept.status();
  return kept->Find(source, most, max_bytes);
}

TEST(KeptText, FindsEachMatchOnce) {
  EXPECT_THAT(Find({"[0-9][0-9.]*", "https?://\\S+", "<[^>]*>"},
                   "<b>3.5 of 7</b> at http://a.b/3.5 and 7 <b>"),
              ElementsAre("3.5", "7", "http://a.b/3.5", "<b>", "</b>"));
  EXPECT_THAT(Find({"x*"}, "aaé"), IsEmpty());
  EXPECT_THAT(Find({}, "aaa"), IsEmpty());
}

TEST(KeptText, WordsBeginAndEndWhereTheyDoInTheText) {
  EXPECT_THAT(Find({"\\b[A-Z]{2}"}, "ABCD EF"), ElementsAre("AB", "EF"));
  EXPECT_THAT(Find({"^\\w"}, "abc"), ElementsAre("a"));
}

TEST(KeptText, HasBounds) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) absl::StrAppend(&text, "w", i, " ");
  EXPECT_THAT(Find({"\\S+"}, text, 5), SizeIs(5));
  EXPECT_THAT(Find({"\\S+"}, "abc def", 5, 4), ElementsAre("abc"));
}

TEST(KeptText, RefusesWhatIsNoExpression) {
  EXPECT_EQ(KeptText::Compile({"(a"}).status().message(), "keep: '(a': missing ): (a");
}

}  // namespace
}  // namespace seq2seq
