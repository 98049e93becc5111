#include "seq2seq/train/schedule.h"

#include <cmath>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace seq2seq {
namespace {

RateScheduleOptions Rate(RateScheduleKind kind, int64_t warmup = 4) {
  RateScheduleOptions options;
  options.kind = kind;
  options.learning_rate = 0.8;
  options.warmup = warmup;
  return options;
}

ForcingScheduleOptions Forcing(ForcingScheduleKind kind, double start, double decay,
                               double floor = 0) {
  ForcingScheduleOptions options;
  options.kind = kind;
  options.start = start;
  options.decay = decay;
  options.floor = floor;
  return options;
}

// An update of ten in an epoch.
TrainingTime At(int64_t update) { return {update, static_cast<double>(update) / 10}; }

TEST(LearningRate, RisesLinearlyInTheWarmUpOfEveryKind) {
  const std::vector<std::string> kinds = EnumTexts(RateScheduleKind());
  for (size_t i = 0; i < kinds.size(); ++i) {
    RateScheduleOptions warm = Rate(static_cast<RateScheduleKind>(i));
    warm.length = *Duration::FromText("10u");
    warm.decay_every = *Duration::FromText("3u");
    warm.decay = 0.5;
    RateScheduleOptions full = warm;
    full.warmup = *Duration::FromText("0u");
    for (int64_t update = 1; update <= 4; ++update) {
      // The one that falls from the end of its warm-up on.
      const double rate =
          warm.kind == RateScheduleKind::kInverseSqrt ? 0.8 : LearningRate(full, At(update), {});
      EXPECT_GT(rate, 0) << kinds[i];
      EXPECT_NEAR(LearningRate(warm, At(update), {}), rate * static_cast<double>(update) / 4, 1e-12)
          << kinds[i];
    }
  }
}

TEST(LearningRate, ConstantStays) {
  EXPECT_DOUBLE_EQ(LearningRate(Rate(RateScheduleKind::kConstant), At(5), {}), 0.8);
  EXPECT_DOUBLE_EQ(LearningRate(Rate(RateScheduleKind::kConstant), At(1'000'000), {}), 0.8);
}

TEST(LearningRate, InverseSqrtFallsAfterTheWarmUp) {
  EXPECT_DOUBLE_EQ(LearningRate(Rate(RateScheduleKind::kInverseSqrt), At(16), {}), 0.4);
  EXPECT_DOUBLE_EQ(LearningRate(Rate(RateScheduleKind::kInverseSqrt), At(5), {}),
                   0.8 * std::sqrt(4.0 / 5.0));
  EXPECT_DOUBLE_EQ(LearningRate(Rate(RateScheduleKind::kInverseSqrt), At(400), {}), 0.08);
}

TEST(LearningRate, WithoutWarmUpTheFirstUpdateHasAll) {
  EXPECT_DOUBLE_EQ(LearningRate(Rate(RateScheduleKind::kConstant, 0), At(1), {}), 0.8);
  EXPECT_DOUBLE_EQ(LearningRate(Rate(RateScheduleKind::kInverseSqrt, 0), At(1), {}), 0.8);
  EXPECT_DOUBLE_EQ(LearningRate(Rate(RateScheduleKind::kInverseSqrt, 0), At(4), {}), 0.4);
}

TEST(LearningRate, PlateauFallsWhenValidationsStopImproving) {
  RateScheduleOptions options = Rate(RateScheduleKind::kPlateau);
  options.decay = 0.5;
  options.patience = 1;  // The second one without improvement counts.
  const std::vector<double> scores = {1, 2, 2, 1.5, 1, 3, 3, 3, 2, 2};
  const double expected[] = {0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.4, 0.2, 0.2, 0.1};
  for (size_t seen = 0; seen <= scores.size(); ++seen) {
    EXPECT_DOUBLE_EQ(LearningRate(options, At(100), absl::MakeSpan(scores).first(seen)),
                     expected[seen])
        << seen;
  }
}

TEST(LearningRate, PlateauWithoutPatienceFallsAtOnce) {
  RateScheduleOptions options = Rate(RateScheduleKind::kPlateau);
  options.decay = 0.1;
  options.patience = 0;
  EXPECT_DOUBLE_EQ(LearningRate(options, At(100), {-5.0}), 0.8);
  EXPECT_DOUBLE_EQ(LearningRate(options, At(100), {-5.0, -5.0}), 0.08);
  EXPECT_DOUBLE_EQ(LearningRate(options, At(100), {-5.0, -4.0}), 0.8);
}

TEST(LearningRate, WarmUpMayBeGivenInPasses) {
  RateScheduleOptions options = Rate(RateScheduleKind::kConstant);
  options.warmup = *Duration::FromText("2e");
  EXPECT_DOUBLE_EQ(LearningRate(options, At(5), {}), 0.2);
  EXPECT_DOUBLE_EQ(LearningRate(options, At(20), {}), 0.8);
  EXPECT_DOUBLE_EQ(LearningRate(options, At(30), {}), 0.8);
}

TEST(LearningRate, LinearFallsToTheFloorAndStays) {
  RateScheduleOptions options = Rate(RateScheduleKind::kLinear);
  options.length = 100;
  options.floor = 0.1;
  EXPECT_DOUBLE_EQ(LearningRate(options, At(50), {}), 0.8 * (1 - 0.9 * 0.5));
  EXPECT_DOUBLE_EQ(LearningRate(options, At(100), {}), 0.08);
  EXPECT_DOUBLE_EQ(LearningRate(options, At(500), {}), 0.08);
}

TEST(LearningRate, CosineFallsAlongHalfAWave) {
  RateScheduleOptions options = Rate(RateScheduleKind::kCosine);
  options.length = *Duration::FromText("10e");
  EXPECT_NEAR(LearningRate(options, At(50), {}), 0.4, 1e-12);
  EXPECT_NEAR(LearningRate(options, At(25), {}), 0.4 * (1 + std::sqrt(0.5)), 1e-12);
  EXPECT_NEAR(LearningRate(options, At(100), {}), 0, 1e-12);
  EXPECT_NEAR(LearningRate(options, At(150), {}), 0, 1e-12);
}

TEST(LearningRate, ExponentialFallsSmoothlyAndStepInSteps) {
  RateScheduleOptions options = Rate(RateScheduleKind::kExponential);
  options.decay = 0.5;
  options.decay_every = 10;
  EXPECT_NEAR(LearningRate(options, At(15), {}), 0.8 * std::pow(0.5, 1.5), 1e-12);
  EXPECT_NEAR(LearningRate(options, At(20), {}), 0.2, 1e-12);
  options.kind = RateScheduleKind::kStep;
  EXPECT_NEAR(LearningRate(options, At(9), {}), 0.8, 1e-12);
  EXPECT_NEAR(LearningRate(options, At(15), {}), 0.4, 1e-12);
  EXPECT_NEAR(LearningRate(options, At(20), {}), 0.2, 1e-12);
}

TEST(Duration, IsWrittenInUpdatesOrPasses) {
  EXPECT_EQ(Duration(16000).Text(), "16000u");
  for (const std::string text : {"16000u", "2.5e", "0u"}) {
    const auto duration = Duration::FromText(text);
    ASSERT_TRUE(duration.has_value()) << text;
    EXPECT_EQ(duration->Text(), text);
  }
  EXPECT_EQ(Duration::FromText("400")->Text(), "400u");
  for (const char* text : {"", "u", "e", "-1u", "1x", "nan", "1e5e5", "inf"}) {
    EXPECT_FALSE(Duration::FromText(text).has_value()) << text;
  }
}

TEST(ForcingAt, ConstantStaysAtItsStart) {
  EXPECT_DOUBLE_EQ(ForcingAt(Forcing(ForcingScheduleKind::kConstant, 0.7, 0.1), 1000).rate, 0.7);
  EXPECT_DOUBLE_EQ(ForcingAt(ForcingScheduleOptions(), 1000).rate, 1);
}

TEST(ForcingAt, LinearTakesTheSameOffEachUpdate) {
  const ForcingScheduleOptions options = Forcing(ForcingScheduleKind::kLinear, 0.9, 0.01, 0.2);
  EXPECT_DOUBLE_EQ(ForcingAt(options, 0).rate, 0.9);
  EXPECT_DOUBLE_EQ(ForcingAt(options, 10).rate, 0.8);
  EXPECT_DOUBLE_EQ(ForcingAt(options, 70).rate, 0.2);
}

TEST(ForcingAt, ExponentialMultiplies) {
  const ForcingScheduleOptions options = Forcing(ForcingScheduleKind::kExponential, 0.8, 0.5);
  EXPECT_DOUBLE_EQ(ForcingAt(options, 0).rate, 0.8);
  EXPECT_DOUBLE_EQ(ForcingAt(options, 1).rate, 0.4);
  EXPECT_DOUBLE_EQ(ForcingAt(options, 3).rate, 0.1);
}

TEST(ForcingAt, InverseSigmoidFollowsItsFormula) {
  const ForcingScheduleOptions options = Forcing(ForcingScheduleKind::kInverseSigmoid, 0.9, 5);
  EXPECT_DOUBLE_EQ(ForcingAt(options, 0).rate, 0.9 * 5 / 6);
  EXPECT_DOUBLE_EQ(ForcingAt(options, 10).rate, 0.9 * 5 / (5 + std::exp(2.0)));
  EXPECT_DOUBLE_EQ(ForcingAt(options, 1'000'000'000).rate, 0);  // exp is infinite.
}

TEST(ForcingAt, NeverFallsBelowTheFloor) {
  for (const auto& [kind, decay] : {std::pair(ForcingScheduleKind::kLinear, 0.1),
                                    std::pair(ForcingScheduleKind::kExponential, 0.5),
                                    std::pair(ForcingScheduleKind::kInverseSigmoid, 5.0)}) {
    EXPECT_DOUBLE_EQ(ForcingAt(Forcing(kind, 1, decay, 0.3), 1'000'000).rate, 0.3);
    EXPECT_DOUBLE_EQ(ForcingAt(Forcing(kind, 1, decay), 1'000'000).rate, 0);
  }
}

TEST(ForcingAt, HandsOnScopeAndOwnToken) {
  ForcingScheduleOptions options;
  options.scope = SamplingScope::kSentence;
  options.predicted = PredictedToken::kSample;
  const TeacherForcing forcing = ForcingAt(options, 1);
  EXPECT_EQ(forcing.scope, SamplingScope::kSentence);
  EXPECT_EQ(forcing.predicted, PredictedToken::kSample);
}

}  // namespace
}  // namespace seq2seq
