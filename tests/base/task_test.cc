#include "seq2seq/base/task.h"

#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace seq2seq {
namespace {

TEST(Task, CurrentIsTheOneThatBeganLast) {
  EXPECT_FALSE(TaskState::Current().has_value());
  Task outer("training", "updates", 10);
  outer.Add(3);
  outer.SetNote("loss 2");
  {
    Task inner("reading", "lines");
    inner.Add(1);
    inner.Add(2);
    const std::optional<TaskState> state = TaskState::Current();
    ASSERT_TRUE(state.has_value());
    EXPECT_EQ(state->what, "reading");
    EXPECT_EQ(state->done, 3);
    EXPECT_EQ(state->total, 0);
  }
  const std::optional<TaskState> state = TaskState::Current();
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->what, "training");
  EXPECT_EQ(state->note, "loss 2");
  EXPECT_EQ(state->done, 3);
  EXPECT_EQ(state->total, 10);
  EXPECT_GE(state->seconds, 0);
}

TEST(Task, ObserverStartsOnceWithTheFirstTask) {
  int starts = 0;
  OnFirstTask([&] { ++starts; });
  EXPECT_EQ(starts, 0);
  { Task task("a", "lines"); }
  { Task task("b", "lines"); }
  EXPECT_EQ(starts, 1);
}

}  // namespace
}  // namespace seq2seq
