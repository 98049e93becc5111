#include "seq2seq/search/translation_json.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ParseRequests, ReadsTextsWishesAndOptions) {
  SearchOptions defaults;
  defaults.max_length = 77;
  const auto block = ParseRequests(R"({"text": ["a", "b"], "prefix": "p", "constraints": ["c"],
      "beam": 7, "forbidden": ["x, y", "=", ""], "normalization": "gnmt", "attention": true})",
                                   defaults);
  ASSERT_TRUE(block.ok()) << block.status();
  EXPECT_TRUE(block->is_list);
  EXPECT_EQ(block->options.beam, 7);
  EXPECT_EQ(block->options.max_length, 77);
  EXPECT_EQ(block->options.normalization, LengthNormalization::kGnmt);
  EXPECT_THAT(block->options.forbidden, ElementsAre("x, y", "=", ""));
  const std::vector<Request> requests = block->Requests();
  ASSERT_EQ(requests.size(), 2);
  EXPECT_EQ(requests[1].text, "b");
  EXPECT_EQ(requests[1].prefix, "p");
  EXPECT_THAT(requests[1].constraints, ElementsAre("c"));
}

TEST(ParseRequests, OnlyOneTextIsStreamed) {
  EXPECT_FALSE(ParseRequests(R"({"text": "a"})", {})->stream);
  EXPECT_TRUE(ParseRequests(R"({"text": "a", "stream": true})", {})->stream);
  for (const char* json : {R"({"text": ["a"], "stream": true})", R"({"text": "a", "stream": 1})"}) {
    const absl::Status status = ParseRequests(json, {}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_THAT(std::string(status.message()), HasSubstr("stream: "));
  }
}

TEST(ParseRequests, RefusesWhatIsDeep) {
  for (const char* key : {"beam", "text", "prefix", "forbidden"}) {
    const std::string deep =
        absl::StrCat("{\"", key, "\":", std::string(400'000, '['), std::string(400'000, ']'), "}");
    EXPECT_TRUE(absl::IsOutOfRange(ParseRequests(deep, {}).status())) << key;
  }
}

TEST(ParseRequests, RefusesMoreValuesThanARequestNeeds) {
  std::string texts = "\"\"";
  for (int i = 0; i < 100'000; ++i) texts += ",\"\"";
  EXPECT_TRUE(absl::IsOutOfRange(ParseRequests("{\"text\":[" + texts + "]}", {}).status()));
}

TEST(ParseRequests, MessagesStayShort) {
  const std::string endless(300'000, 'x');
  for (const std::string& json : {absl::StrCat(R"({"text":"a",")", endless, R"(":1})"),
                                  absl::StrCat(R"({"text":"a",")", endless, R"(=":1})"),
                                  absl::StrCat(R"({"text":"a","beam":")", endless, R"("})"),
                                  absl::StrCat(R"({"text":"a","sample":[")", endless, R"("]})"),
                                  absl::StrCat(R"({"text":{")", endless, R"(":1}})")}) {
    const absl::Status status = ParseRequests(json, {}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << json.substr(0, 40);
    EXPECT_LT(status.message().size(), 400) << status;
  }
}

TEST(ParseRequests, KeysAreWholeKeys) {
  const absl::Status status = ParseRequests(R"({"text": "a", "beam=7 #": 1})", {}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("beam=7 #"));
}

}  // namespace
}  // namespace seq2seq
