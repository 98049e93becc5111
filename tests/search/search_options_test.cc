#include "seq2seq/search/search_options.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(MaxLength, IsTheRatioAndTenWithinTheBounds) {
  SearchOptions options;
  options.max_ratio = 1.5;
  options.max_length = 50;
  options.min_length = 15;
  EXPECT_EQ(MaxLength(1, options), 15);  // 1.5 and 10 would be less than min_length.
  EXPECT_EQ(MaxLength(7, options), 20);  // 10.5 + 10.
  EXPECT_EQ(MaxLength(100, options), 50);
  options.max_ratio = 1e300;
  EXPECT_EQ(MaxLength(100, options), 50);
  options.max_ratio = std::numeric_limits<double>::infinity();
  EXPECT_EQ(MaxLength(100, options), 50);
}

TEST(MinLength, IsTheLargerOfBothBounds) {
  SearchOptions options;
  options.min_ratio = 0.5;
  options.min_length = 3;
  options.max_length = 20;
  EXPECT_EQ(MinLength(1, options), 3);
  EXPECT_EQ(MinLength(9, options), 5);
  EXPECT_EQ(MinLength(1000, options), 20);
}

TEST(ValidateSearch, NamesTheKeyAndItsValue) {
  const std::pair<std::pair<std::string, std::string>, std::function<void(SearchOptions&)>>
      mistakes[] = {
          {{"beam", "0"}, [](SearchOptions& o) { o.beam = 0; }},
          {{"beam", "1001"}, [](SearchOptions& o) { o.beam = 1001; }},
          {{"n_best", "0"}, [](SearchOptions& o) { o.n_best = 0; }},
          {{"n_best", "6"}, [](SearchOptions& o) { o.n_best = 6; }},
          {{"length_alpha", "-0.5"}, [](SearchOptions& o) { o.length_alpha = -0.5; }},
          {{"length_alpha", "nan"}, [](SearchOptions& o) { o.length_alpha = std::nan(""); }},
          {{"length_reward", "inf"}, [](SearchOptions& o) { o.length_reward = INFINITY; }},
          {{"coverage_penalty", "-1"}, [](SearchOptions& o) { o.coverage_penalty = -1; }},
          {{"min_length", "-1"}, [](SearchOptions& o) { o.min_length = -1; }},
          {{"min_length", "251"}, [](SearchOptions& o) { o.min_length = 251; }},
          {{"max_length", "-1"}, [](SearchOptions& o) { o.max_length = -1; }},
          {{"max_ratio", "0"}, [](SearchOptions& o) { o.max_ratio = 0; }},
          {{"min_ratio", "4"}, [](SearchOptions& o) { o.min_ratio = 4; }},
          {{"groups", "2"}, [](SearchOptions& o) { o.groups = 2; }},
          {{"diversity", "-1"}, [](SearchOptions& o) { o.diversity = -1; }},
          {{"no_repeat_ngram", "-1"}, [](SearchOptions& o) { o.no_repeat_ngram = -1; }},
          {{"repetition_penalty", "0.5"}, [](SearchOptions& o) { o.repetition_penalty = 0.5; }},
          {{"temperature", "0"}, [](SearchOptions& o) { o.temperature = 0; }},
          {{"top_k", "-1"}, [](SearchOptions& o) { o.top_k = -1; }},
          {{"top_p", "0"}, [](SearchOptions& o) { o.top_p = 0; }},
          {{"top_p", "1.5"}, [](SearchOptions& o) { o.top_p = 1.5; }},
      };
  EXPECT_TRUE(Validate(SearchOptions()).ok());
  for (const auto& [expected, make] : mistakes) {
    SearchOptions options;
    make(options);
    const absl::Status status = Validate(options);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << expected.first;
    EXPECT_THAT(std::string(status.message()), StartsWith(expected.first + ":"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("found " + expected.second));
  }
  SearchOptions many_samples;
  many_samples.sample = true;
  many_samples.n_best = 100;
  EXPECT_TRUE(Validate(many_samples).ok());
}

}  // namespace
}  // namespace seq2seq
