#include "seq2seq/train/bounds.h"

#include <optional>

#include "gtest/gtest.h"

namespace seq2seq {
namespace {

TrainOptions Unbounded() {
  TrainOptions options;
  options.patience = 0;
  return options;
}

TEST(ReachedBound, IsTheFirstOneThatIsReached) {
  TrainerState state;
  state.update = 10;
  state.position = {.epoch = 2, .batch = 3};
  state.seconds = 90;
  EXPECT_EQ(ReachedBound(Unbounded(), state), std::nullopt);
  TrainOptions options = Unbounded();
  options.max_minutes = 1.5;
  EXPECT_EQ(ReachedBound(options, state), StopReason::kMaxMinutes);
  options.max_epochs = 2;
  EXPECT_EQ(ReachedBound(options, state), StopReason::kMaxEpochs);
  options.max_updates = 10;
  EXPECT_EQ(ReachedBound(options, state), StopReason::kMaxUpdates);
  options.max_updates = 11;
  options.max_epochs = 3;
  options.max_minutes = 2;
  EXPECT_EQ(ReachedBound(options, state), std::nullopt);
}

TEST(ReachedBound, PatienceCountsValidationsSinceTheBest) {
  TrainOptions options = Unbounded();
  options.patience = 2;
  TrainerState state;
  for (const double score : {1, 3, 2}) {
    state.validations.emplace_back().score = score;
    EXPECT_EQ(ReachedBound(options, state), std::nullopt);
  }
  state.validations.emplace_back().score = 3;
  EXPECT_EQ(ReachedBound(options, state), StopReason::kPatience);
}

TEST(RemainingSeconds, AreThoseToTheNearestBound) {
  TrainerState state;
  state.update = 10;
  state.position = {.epoch = 1, .batch = 2};
  state.seconds = 30;
  TrainOptions options = Unbounded();
  EXPECT_EQ(RemainingSeconds(options, state, 0.5, 6), 0);
  options.max_minutes = 2;
  EXPECT_EQ(RemainingSeconds(options, state, 0.5, 6), 90);
  options.max_updates = 110;
  EXPECT_EQ(RemainingSeconds(options, state, 0.5, 6), 50);
  options.max_epochs = 3;  // 10 batches, two an update.
  options.accumulate = 2;
  EXPECT_EQ(RemainingSeconds(options, state, 0.5, 6), 2.5);
  options.max_updates = 9;
  EXPECT_EQ(RemainingSeconds(options, state, 0.5, 6), 0);
}

}  // namespace
}  // namespace seq2seq
