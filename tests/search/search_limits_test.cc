#include "seq2seq/search/search_limits.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(SearchLimits, NameTheKeyTheLimitAndTheValue) {
  EXPECT_TRUE(Validate(SearchOptions(), SearchLimits()).ok());
  const struct {
    const char *key, *limit, *found;
    std::function<void(SearchOptions&)> make;
  } mistakes[] = {
      {"beam", "max_beam", "21", [](SearchOptions& o) { o.beam = 21; }},
      {"n_best", "max_n_best", "8", [](SearchOptions& o) { o.beam = o.n_best = 8; }},
      {"n_best", "max_n_best", "8",
       [](SearchOptions& o) {
         o.sample = true;
         o.n_best = 8;
       }},
      {"max_length", "max_subwords", "9223372036854775807",
       [](SearchOptions& o) { o.max_length = std::numeric_limits<int64_t>::max(); }},
      {"max_length", "max_subwords", "301", [](SearchOptions& o) { o.max_length = 301; }},
      {"min_length", "max_length", "400", [](SearchOptions& o) { o.min_length = 400; }},
  };
  SearchLimits limits;
  limits.max_beam = 20;
  limits.max_n_best = 7;
  limits.max_subwords = 300;
  for (const auto& mistake : mistakes) {
    SearchOptions options;
    mistake.make(options);
    const absl::Status status = Validate(options, limits);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << mistake.key;
    const std::string message(status.message());
    EXPECT_THAT(message, StartsWith(std::string(mistake.key) + ":"));
    EXPECT_THAT(message, HasSubstr(mistake.limit));
    EXPECT_THAT(message, HasSubstr(std::string("found ") + mistake.found));
  }
  SearchOptions sample;  // Has no beam.
  sample.sample = true;
  sample.beam = 21;
  EXPECT_TRUE(Validate(sample, limits).ok());
}

TEST(SearchLimits, HaveTheirOwn) {
  EXPECT_TRUE(Validate(SearchLimits()).ok());
  SearchLimits limits;
  limits.max_subwords = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(std::string(Validate(limits).message()), StartsWith("max_subwords:"));
  limits = SearchLimits();
  limits.max_beam = 0;
  EXPECT_THAT(std::string(Validate(limits).message()), StartsWith("max_beam:"));
}

}  // namespace
}  // namespace seq2seq
