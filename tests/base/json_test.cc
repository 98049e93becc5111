#include "seq2seq/base/json.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

std::string Repeat(const std::string& text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(ParseJson, GivesTheValue) {
  const auto value = ParseJson(R"({"a": ["b", 1.5, {"c": null}], "\"[": "\\"})");
  ASSERT_TRUE(value.ok()) << value.status();
  EXPECT_EQ(value->at("a").at(1), 1.5);
  EXPECT_EQ(value->at("\"["), "\\");
}

TEST(ParseJson, NamesTheByteOfAMistake) {
  for (const auto& [text, place] :
       {std::pair("{", "byte 2"), std::pair("", "byte 1"), std::pair("[1,]", "byte 4"),
        std::pair("\xff", "byte 1"), std::pair("[\"\xff\"]", "byte 3"), std::pair("1e999", "large"),
        std::pair("\"\\", "byte"), std::pair("]]]]", "byte 1")}) {
    const absl::Status status = ParseJson(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(place)) << text;
  }
}

TEST(ParseJson, DepthIsBounded) {
  EXPECT_TRUE(ParseJson("[[[1]]]", {.depth = 3}).ok());
  EXPECT_TRUE(ParseJson(R"([{"a": "[[[["}, {"b\"": "{{{{"}])", {.depth = 2}).ok());
  EXPECT_TRUE(ParseJson("[[],[],[],[]]", {.depth = 2}).ok());
  for (const std::string& text :
       {std::string("[[[[1]]]]"), Repeat("[", 400'000), Repeat("{\"a\":", 400'000),
        "[\"\\\\\"," + Repeat("[", 400'000), Repeat("[", 400'000) + Repeat("]", 400'000)}) {
    const absl::Status status = ParseJson(text, {.depth = 3}).status();
    EXPECT_TRUE(absl::IsOutOfRange(status)) << text.substr(0, 10) << " " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("more than 3 levels"));
  }
}

TEST(ParseJson, SizeIsBounded) {
  EXPECT_TRUE(ParseJson("[1,2,3]", {.bytes = 7, .values = 4}).ok());
  EXPECT_TRUE(absl::IsOutOfRange(ParseJson("[1,2,3]", {.bytes = 6}).status()));
  EXPECT_TRUE(absl::IsOutOfRange(ParseJson("[1,2,3]", {.values = 3}).status()));
  EXPECT_TRUE(absl::IsOutOfRange(ParseJson(R"({"a":{},"b":{}})", {.values = 4}).status()));
}

}  // namespace
}  // namespace seq2seq
