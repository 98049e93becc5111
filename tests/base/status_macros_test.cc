#include "seq2seq/base/status_macros.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace seq2seq {
namespace {

absl::StatusOr<std::unique_ptr<int>> Make(int value) {
  if (value < 0) return absl::OutOfRangeError("negative");
  return std::make_unique<int>(value);
}

absl::StatusOr<int> Sum(int a, int b) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<int> first, Make(a));
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<int> second, Make(b));
  return *first + *second;
}

absl::Status Check(int a, int* steps) {
  SEQ2SEQ_RETURN_IF_ERROR(Make(a).status());
  ++*steps;
  return absl::OkStatus();
}

TEST(StatusMacros, AssignMovesTheValueOrPassesTheErrorUp) {
  EXPECT_EQ(*Sum(1, 2), 3);
  EXPECT_EQ(Sum(1, -2).status(), absl::OutOfRangeError("negative"));
}

TEST(StatusMacros, ReturnIfErrorLeavesAtAnError) {
  int steps = 0;
  EXPECT_TRUE(Check(1, &steps).ok());
  EXPECT_EQ(Check(-1, &steps), absl::OutOfRangeError("negative"));
  EXPECT_EQ(steps, 1);
}

}  // namespace
}  // namespace seq2seq
