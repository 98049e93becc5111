#include "seq2seq/base/log.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Log, HandsMessagesToTheSinkUntilItIsTakenAway) {
  Log(LogLevel::kInfo, "nobody listens");
  std::vector<std::pair<LogLevel, std::string>> said;
  SetLogSink([&](LogLevel level, absl::string_view message) { said.emplace_back(level, message); });
  Log(LogLevel::kInfo, "one");
  Log(LogLevel::kWarning, "two");
  SetLogSink(nullptr);
  Log(LogLevel::kWarning, "three");
  EXPECT_THAT(said, ElementsAre(Pair(LogLevel::kInfo, "one"), Pair(LogLevel::kWarning, "two")));
}

}  // namespace
}  // namespace seq2seq
