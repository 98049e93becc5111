#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/train/trainer.h"
#include "tests/train/trainer_fixture.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

namespace fs = std::filesystem;

using TrainerErrors = TrainerTest;

TEST_F(TrainerErrors, RunBelowAFileIsAnErrorThatNamesThePath) {
  options_.run = folder_.Write("file", "") + "/run";
  const absl::Status saving = RunStatus(StoppingAfter(1));
  EXPECT_FALSE(saving.ok());
  EXPECT_THAT(std::string(saving.message()), HasSubstr(options_.run + "/"));
  options_.max_updates = 1;
  const absl::Status logging = RunStatus({});
  EXPECT_FALSE(logging.ok());
  EXPECT_THAT(std::string(logging.message()), HasSubstr(options_.run + "/log.jsonl"));
}

TEST_F(TrainerErrors, RunFolderThatVanishesIsAnErrorThatNamesThePath) {
  fs::create_directory(folder_ / "run");
  options_.run = folder_ / "run";
  options_.validate_every = 2;
  TrainerHooks hooks;
  hooks.stop_requested = [&] {
    fs::remove_all(options_.run);
    return false;
  };
  const absl::Status status = RunStatus(hooks);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(options_.run));
}

TEST_F(TrainerErrors, FailedSaveLeavesTheLastStepWhole) {
  options_.max_updates = 2;
  Train();
  options_.max_updates = 4;
  TrainerHooks hooks;
  hooks.on_progress = [&](const Progress&) {  // `latest` can not be replaced any more.
    fs::remove(folder_ / "latest");
    fs::create_directories(folder_ / "latest/in the way");
  };
  options_.report_every = 4;
  const absl::Status status = RunStatus(hooks);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder_ / "latest"));
  EXPECT_TRUE(ReadTensors(folder_ / "step-2/model.safetensors").ok());
}

TEST_F(TrainerErrors, StepThatDoesNotFitIsRefused) {
  options_.max_updates = 1;
  Train();
  ModelOptions deeper = MakeModel()->options();
  deeper.encoder.layers = 2;
  const absl::Status status =
      Trainer::Create(options_, buckets_, Model(deeper), torch::kCPU, train_, valid_, {}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("encoder."));
}

TEST_F(TrainerErrors, DamagedStepIsRefusedInsteadOfStartingAgain) {
  options_.max_updates = 1;
  Train();
  fs::resize_file(folder_ / "step-1/model.safetensors", 100);
  EXPECT_TRUE(absl::IsDataLoss(Create().status())) << Create().status();
  fs::remove_all(folder_ / "step-1");  // `latest` is dangling.
  const absl::Status status = Create().status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder_ / "latest"));
}

TEST_F(TrainerErrors, FailedEvaluationEndsTheRunWithItsError) {
  options_.max_updates = 1;
  TrainerHooks hooks;
  hooks.evaluate = [](Model) { return absl::ResourceExhaustedError("no paper left"); };
  const absl::Status status = RunStatus(hooks);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  hooks.evaluate = [](Model) -> std::map<std::string, double> {
    throw std::runtime_error("no ink left");
  };
  EXPECT_THAT(std::string(RunStatus(hooks).message()), HasSubstr("no ink left"));
}

TEST_F(TrainerErrors, MetricThatIsNoNumberEndsTheRunByName) {
  // It could not be compared, nor be read back from the checkpoint.
  for (const double value : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    const TemporaryFolder folder;
    options_.run = folder.path();
    options_.metric = {"bleu"};
    options_.validate_every = 1;
    options_.max_updates = 2;
    const absl::Status status = RunStatus(Evaluating("bleu", {1, value}));
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(status.message()), HasSubstr("bleu"));
    EXPECT_EQ(Train(Evaluating("bleu", {2}))->state().validations.size(), 2u);
  }
}

TEST_F(TrainerErrors, MetricThatIsNotEvaluatedIsNamed) {
  options_.metric = {"bleu"};
  options_.max_updates = 1;
  const absl::Status without = Create().status();
  EXPECT_TRUE(absl::IsInvalidArgument(without)) << without;
  EXPECT_THAT(std::string(without.message()), StartsWith("train.metric"));
  const absl::Status other = RunStatus(Evaluating("chrf", {1}));
  EXPECT_FALSE(other.ok());
  EXPECT_THAT(std::string(other.message()), HasSubstr("bleu"));
}

TEST_F(TrainerErrors, LossThatIsNoNumberEndsTheRun) {
  options_.max_updates = 5;
  options_.schedule.learning_rate = 1e38;
  options_.optimizer.clip_norm = 0;
  options_.optimizer.kind = OptimizerKind::kSgd;
  options_.max_skipped = 1;
  const absl::Status status = RunStatus({});
  EXPECT_TRUE(absl::IsInternal(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("update"), HasSubstr("train.schedule.learning_rate")));
}

TEST_F(TrainerErrors, ParameterThatNothingDependsOnIsNamed) {
  options_.max_updates = 1;
  Model model = MakeModel();
  model->register_parameter("unused", torch::zeros({2}));
  const auto run = [&] {
    auto trainer = Trainer::Create(options_, buckets_, model, torch::kCPU, mix_, valid_, {});
    EXPECT_TRUE(trainer.ok()) << trainer.status();
    return (*trainer)->Run().status();
  };
  EXPECT_THAT(std::string(run().message()), AllOf(HasSubstr("unused"), HasSubstr("train.freeze")));
  options_.freeze = {"unused"};
  EXPECT_TRUE(run().ok()) << run();
}

TEST_F(TrainerErrors, OtherHeldOutDataIsRefused) {
  options_.max_updates = 1;
  Train();
  const Corpus other = MakeCorpus(6, 4);
  const auto create = [&] {
    return Trainer::Create(options_, buckets_, MakeModel(), torch::kCPU, mix_, other, {}).status();
  };
  EXPECT_TRUE(absl::IsFailedPrecondition(create())) << create();
  EXPECT_THAT(std::string(create().message()), HasSubstr("data.valid"));
  // Older checkpoints do not have it.
  nlohmann::json state = nlohmann::json::parse(folder_.Read("latest/trainer.json"));
  state.erase("valid");
  folder_.Write("latest/trainer.json", state.dump());
  EXPECT_TRUE(create().ok()) << create();
}

TEST_F(TrainerErrors, FrozenModuleThatIsNotThereIsNamed) {
  options_.freeze = {"encoder", "decodre"};
  const absl::Status status = Create().status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(StartsWith("train.freeze"), HasSubstr("'decodre'")));
  options_.freeze = {"encoder", "decoder", "bridge"};
  EXPECT_THAT(std::string(Create().status().message()), StartsWith("train.freeze: leaves nothing"));
}

}  // namespace
}  // namespace seq2seq
