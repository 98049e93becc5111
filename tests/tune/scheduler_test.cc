#include "seq2seq/tune/scheduler.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace seq2seq {
namespace {

using ::testing::ElementsAre;

Sweep MakeSweep(int64_t trials, EarlyTermination early = {}) {
  Sweep sweep;
  sweep.options.method = SearchMethod::kRandom;
  sweep.options.early_terminate = early;
  sweep.options.budget.trials = trials;
  sweep.space = SearchSpace({{.key = "x", .min = 0, .max = 1, .values = {}}});
  return sweep;
}

EarlyTermination Asha(int64_t min, double eta, int64_t max) {
  return {.type = EarlyTerminationType::kAsha, .min = min, .eta = eta, .max = max};
}

// Lets a trial, which is in `trials` or new, reach its rung with `value`.
void Reach(std::vector<Trial>& trials, Trial trial, double value, int64_t updates = 1) {
  trial.results.push_back({updates, value, 0});
  if (trial.number > static_cast<int64_t>(trials.size())) trials.emplace_back();
  trials[static_cast<size_t>(trial.number - 1)] = std::move(trial);
}

TEST(Rungs, AreUpToTheLast) {
  EXPECT_THAT(Rungs(Asha(100, 3, 900)), ElementsAre(100, 300, 900));
  EXPECT_THAT(Rungs(Asha(100, 3, 1000)), ElementsAre(100, 300, 900, 1000));
  EXPECT_THAT(Rungs(Asha(100, 2.5, 500)), ElementsAre(100, 250, 500));
  EXPECT_THAT(Rungs(Asha(100, 3, 100)), ElementsAre(100));
  EXPECT_THAT(Rungs({}), ElementsAre(0));
}

TEST(Scheduler, EndsWithItsBudget) {
  const Sweep sweep = MakeSweep(3);
  const Scheduler scheduler(sweep, {0});
  std::vector<Trial> trials;
  for (int64_t number = 1; number <= 3; ++number) {
    NextTrial next = scheduler.Next(trials);
    ASSERT_TRUE(next.trial.has_value());
    EXPECT_EQ(next.trial->number, number);
    Reach(trials, *next.trial, 1);
  }
  const NextTrial next = scheduler.Next(trials);
  EXPECT_FALSE(next.trial.has_value());
  EXPECT_FALSE(next.wait);
}

TEST(Scheduler, WaitsForWhatOthersTrain) {
  const Sweep sweep = MakeSweep(1);
  const Scheduler scheduler(sweep, {0});
  std::vector<Trial> trials = {*scheduler.Next({}).trial};
  EXPECT_EQ(scheduler.Next(trials).trial->number, 1);  // Nobody holds it: it goes on.
  trials[0].held = true;
  EXPECT_FALSE(scheduler.Next(trials).trial.has_value());
  EXPECT_TRUE(scheduler.Next(trials).wait);
}

TEST(Scheduler, PromotesTheBestThirdOfARung) {
  const Sweep sweep = MakeSweep(4, Asha(1, 3, 9));
  const Scheduler scheduler(sweep, Rungs(sweep.options.early_terminate));
  std::vector<Trial> trials;
  for (const double value : {5.0, 7.0, 6.0}) Reach(trials, *scheduler.Next(trials).trial, value);
  NextTrial next = scheduler.Next(trials);
  EXPECT_EQ(next.trial->number, 2);
  EXPECT_EQ(next.trial->rung, 1);
  EXPECT_EQ(next.trial->results.size(), 1);  // It goes on from there.
  Reach(trials, *next.trial, 8);
  next = scheduler.Next(trials);  // One of three is promoted, so that a new one begins.
  EXPECT_EQ(next.trial->number, 4);
  Reach(trials, *next.trial, 9);
  next = scheduler.Next(trials);  // The best of four, now that the place is its.
  EXPECT_EQ(next.trial->number, 4);
  EXPECT_EQ(next.trial->rung, 1);
}

TEST(Scheduler, LowerValuesAreBetterWhereTheGoalIsToMinimize) {
  Sweep sweep = MakeSweep(3, Asha(1, 3, 9));
  sweep.options.metric.goal = Goal::kMinimize;
  const Scheduler scheduler(sweep, Rungs(sweep.options.early_terminate));
  std::vector<Trial> trials;
  for (const double value : {5.0, 7.0, 4.0}) Reach(trials, *scheduler.Next(trials).trial, value);
  EXPECT_EQ(scheduler.Next(trials).trial->number, 3);
  EXPECT_EQ(scheduler.Best(trials)->number, 3);
}

TEST(Scheduler, FailedAndCompleteTrialsAreNotPromoted) {
  Sweep sweep = MakeSweep(3, Asha(1, 100, 9));
  const std::vector<int64_t> rungs = {1, 3, 9};
  std::vector<Trial> trials;
  for (const double value : {9.0, 8.0, 7.0})
    Reach(trials, *Scheduler(sweep, rungs).Next(trials).trial, value);
  sweep.options.early_terminate.eta = 1.5;
  const Scheduler scheduler(sweep, rungs);
  EXPECT_EQ(scheduler.Next(trials).trial->number, 1);
  trials[0].complete = true;
  EXPECT_EQ(scheduler.Next(trials).trial->number, 2);
  trials[1].error = "the loss is nan";
  EXPECT_FALSE(scheduler.Next(trials).trial.has_value());
  EXPECT_FALSE(scheduler.Next(trials).wait);
}

TEST(Scheduler, TriesNoPointTwice) {
  Sweep sweep = MakeSweep(0);
  sweep.space = SearchSpace(
      {{.key = "x", .distribution = Distribution::kInt, .min = 1, .max = 6, .values = {}}});
  const Scheduler scheduler(sweep, {0});
  std::vector<Trial> trials;
  std::set<double> points;
  while (const std::optional<Trial> trial = scheduler.Next(trials).trial) {
    points.insert(*trial->point[0]);
    Reach(trials, *trial, 1);
    ASSERT_LE(trials.size(), 6);
  }
  EXPECT_EQ(points.size(), 6);
}

TEST(Scheduler, TakesTheSameCourseWhereverItWasInterrupted) {
  Sweep sweep = MakeSweep(30, Asha(1, 3, 9));
  sweep.options.method = SearchMethod::kBayes;
  const auto value_of = [](const Trial& trial) {
    return -std::abs(*trial.point[0] - 0.3) + 0.01 * static_cast<double>(trial.rung);
  };
  const auto run = [&](int64_t killed_every) {
    std::vector<Trial> trials;
    std::vector<std::pair<int64_t, int64_t>> course;
    int64_t begun = 0;
    while (true) {
      // A new process knows nothing but the trials.
      const Scheduler scheduler(sweep, Rungs(sweep.options.early_terminate));
      const std::optional<Trial> next = scheduler.Next(trials).trial;
      if (!next) return std::pair(course, trials.back().point);
      if (next->number > static_cast<int64_t>(trials.size())) trials.push_back(*next);
      trials[static_cast<size_t>(next->number - 1)] = *next;
      if (killed_every > 0 && ++begun % killed_every == 0) continue;  // It is open.
      course.emplace_back(next->number, next->rung);
      Reach(trials, *next, value_of(*next));
    }
  };
  const auto whole = run(0);
  EXPECT_GT(whole.first.size(), 40);
  EXPECT_EQ(run(2), whole);
  EXPECT_EQ(run(7), whole);
}

}  // namespace
}  // namespace seq2seq
