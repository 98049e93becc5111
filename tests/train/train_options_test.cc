#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "seq2seq/base/options.h"
#include "seq2seq/train/training_config.h"

namespace seq2seq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ValidateTrain, NamesTheKeyAndItsValue) {
  const std::pair<std::string, std::function<void(TrainOptions&)>> mistakes[] = {
      {"train.run", [](TrainOptions& o) { o.run = ""; }},
      {"train.max_updates -2", [](TrainOptions& o) { o.max_updates = -2; }},
      {"train.max_epochs -3", [](TrainOptions& o) { o.max_epochs = -3; }},
      {"train.max_minutes -0.5", [](TrainOptions& o) { o.max_minutes = -0.5; }},
      {"train.metric_command nothing", [](TrainOptions& o) { o.metric = {"command"}; }},
      {"train.accumulate 0", [](TrainOptions& o) { o.accumulate = 0; }},
      {"train.label_smoothing 1", [](TrainOptions& o) { o.label_smoothing = 1; }},
      {"train.optimizer.beta1 1.5", [](TrainOptions& o) { o.optimizer.beta1 = 1.5; }},
      {"train.optimizer.beta2 -0.5", [](TrainOptions& o) { o.optimizer.beta2 = -0.5; }},
      {"train.optimizer.clip_norm -1", [](TrainOptions& o) { o.optimizer.clip_norm = -1; }},
      {"train.optimizer.epsilon 0", [](TrainOptions& o) { o.optimizer.epsilon = 0; }},
      {"train.optimizer.weight_decay -1", [](TrainOptions& o) { o.optimizer.weight_decay = -1; }},
      {"train.optimizer.momentum 1",
       [](TrainOptions& o) {
         o.optimizer.kind = OptimizerKind::kSgd;
         o.optimizer.momentum = 1;
       }},
      {"train.optimizer.momentum 0.9", [](TrainOptions& o) { o.optimizer.momentum = 0.9; }},
      {"train.optimizer.nesterov true", [](TrainOptions& o) { o.optimizer.nesterov = true; }},
      {"train.optimizer.lazy true",
       [](TrainOptions& o) {
         o.optimizer.kind = OptimizerKind::kSgd;
         o.optimizer.lazy = true;
       }},
      {"train.optimizer.l2 -1", [](TrainOptions& o) { o.optimizer.l2 = -1; }},
      {"train.optimizer.l2_recurrent -1", [](TrainOptions& o) { o.optimizer.l2_recurrent = -1; }},
      {"train.optimizer.clip_value -1", [](TrainOptions& o) { o.optimizer.clip_value = -1; }},
      {"train.precision int8", [](TrainOptions& o) { o.precision = PrecisionChoice::kInt8; }},
      {"train.average 1", [](TrainOptions& o) { o.average = 1; }},
      {"train.max_skipped -1", [](TrainOptions& o) { o.max_skipped = -1; }},
      {"train.recoveries -1", [](TrainOptions& o) { o.recoveries = -1; }},
      {"train.recovery_rate 0", [](TrainOptions& o) { o.recovery_rate = 0; }},
      {"train.max_failed_saves -1", [](TrainOptions& o) { o.max_failed_saves = -1; }},
      {"train.schedule.floor 2", [](TrainOptions& o) { o.schedule.floor = 2; }},
      {"train.schedule.patience -1", [](TrainOptions& o) { o.schedule.patience = -1; }},
      {"train.schedule.learning_rate 0", [](TrainOptions& o) { o.schedule.learning_rate = 0; }},
      {"train.schedule.decay_every -5", [](TrainOptions& o) { o.schedule.decay_every = -5; }},
      {"train.schedule.warmup -4", [](TrainOptions& o) { o.schedule.warmup = -4; }},
      {"train.schedule.decay 2", [](TrainOptions& o) { o.schedule.decay = 2; }},
      {"train.teacher_forcing.start 1.25", [](TrainOptions& o) { o.teacher_forcing.start = 1.25; }},
      {"train.teacher_forcing.floor -0.25",
       [](TrainOptions& o) { o.teacher_forcing.floor = -0.25; }},
      {"train.teacher_forcing.decay -1", [](TrainOptions& o) { o.teacher_forcing.decay = -1; }},
      {"train.teacher_forcing.decay 3",
       [](TrainOptions& o) {
         o.teacher_forcing.kind = ForcingScheduleKind::kExponential;
         o.teacher_forcing.decay = 3;
       }},
      {"train.teacher_forcing.decay 0.5",
       [](TrainOptions& o) {
         o.teacher_forcing.kind = ForcingScheduleKind::kInverseSigmoid;
         o.teacher_forcing.decay = 0.5;
       }},
      {"train.fine_tune.from -1", [](TrainOptions& o) { o.fine_tune.from = -1; }},
      {"train.fine_tune.rate 0", [](TrainOptions& o) { o.fine_tune.rate = 0; }},
      {"train.report_every 0", [](TrainOptions& o) { o.report_every = 0; }},
      {"train.validate_every 0", [](TrainOptions& o) { o.validate_every = 0; }},
      {"train.save_every -1", [](TrainOptions& o) { o.save_every = -1; }},
      {"train.patience -1", [](TrainOptions& o) { o.patience = -1; }},
      {"train.samples -1", [](TrainOptions& o) { o.samples = -1; }},
      {"train.keep_last 0", [](TrainOptions& o) { o.keep_last = 0; }},
  };
  TrainOptions good;
  good.run = "run";
  EXPECT_TRUE(Validate(good).ok());
  for (const auto& [expected, make] : mistakes) {
    TrainOptions options = good;
    make(options);
    const absl::Status status = Validate(options);
    const std::vector<std::string> parts = absl::StrSplit(expected, ' ');
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << expected;
    EXPECT_THAT(std::string(status.message()), StartsWith(parts[0] + ":"));
    if (parts.size() > 1) {
      EXPECT_THAT(std::string(status.message()), HasSubstr("found " + parts[1]));
    }
  }
}

TEST(ValidateRun, NamesTheKeyAndItsValue) {
  RunOptions options;
  EXPECT_TRUE(Validate(options).ok());
  options.threads = -1;
  EXPECT_EQ(Validate(options).message(), "train.threads: expected 0 or more, found -1");
}

TEST(TrainingConfig, ListsTheKeysOfTheRunInTheSectionTrain) {
  TrainingConfig config;
  std::vector<std::string> keys;
  for (const Option& option : ListOptions(config)) {
    if (absl::StartsWith(option.key, "train.")) keys.push_back(option.key.substr(6));
  }
  keys.resize(11);
  EXPECT_THAT(
      keys, ElementsAre("run", "seed", "init_from", "source_vectors", "target_vectors", "teacher",
                        "teacher_weight", "teacher_temperature", "threads", "device", "precision"));
  ASSERT_TRUE(SetOption("train.device=cpu", ListOptions(config)).ok());
  EXPECT_EQ(config.run.device, "cpu");
}

TEST(TrainingConfig, FormerKeysAreRead) {
  TrainingConfig config;
  for (const char* setting : {"train.schedule.rate=0.25", "train.schedule.every=3e",
                              "train.teacher_forcing.own=sample"}) {
    const absl::Status status = SetOption(setting, ListOptions(config));
    EXPECT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(config.train.schedule.learning_rate, 0.25);
  EXPECT_EQ(config.train.schedule.decay_every.Text(), "3e");
  EXPECT_EQ(config.train.teacher_forcing.predicted, PredictedToken::kSample);
}

}  // namespace
}  // namespace seq2seq
