#include "seq2seq/train/checkpoint.h"

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/file.h"
#include "seq2seq/train/optimizer.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

// A model with an optimiser whose state is not empty.
struct Trained {
  explicit Trained(uint64_t seed, const ModelOptions& options = TinyOptions())
      : model(TinyModel(options, torch::kFloat32, seed)),
        optimizer(MakeOptimizer({}, {{Parameters(*model)}})) {
    for (auto& [name, tensor] : optimizer->State()) tensor.uniform_(0, 1);
  }

  Model model;
  std::unique_ptr<Optimizer> optimizer;
};

bool Same(const TensorMap& a, const TensorMap& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [name, tensor] : a) {
    if (!torch::equal(tensor, b.at(name))) return false;
  }
  return true;
}

Validation Scored(int64_t update, double score) {
  return {update, /*scheduled=*/true, score, {{"bleu", score}}};
}

absl::Status Save(const RunFolder& run, const TrainerState& state, int64_t keep_last = 1) {
  const Trained trained(1);
  return SaveCheckpoint(run, state, Parameters(*trained.model), trained.optimizer->State(),
                        keep_last);
}

absl::Status Load(const RunFolder& run) {
  Trained trained(2);
  return LoadCheckpoint(run, Parameters(*trained.model), trained.optimizer->State()).status();
}

TEST(TrainerState, BestIsTheFirstOfTheHighest) {
  TrainerState state;
  EXPECT_EQ(state.Best(), nullptr);
  EXPECT_EQ(state.SinceBest(), 0);
  state.validations = {Scored(1, -3), Scored(2, 5), Scored(3, 5), Scored(4, 4)};
  EXPECT_EQ(state.Best()->update, 2);
  EXPECT_EQ(state.SinceBest(), 2);
  state.validations.push_back(Scored(5, 6));
  EXPECT_EQ(state.Best()->update, 5);
  EXPECT_EQ(state.SinceBest(), 0);
}

TEST(Checkpoint, LoadGivesBackWeightsOptimizerAndState) {
  TemporaryFolder folder;
  const Trained saved(1);
  TrainerState state;
  state.update = 30;
  state.position = {2, 17};
  state.seconds = 12.1;
  state.validations = {{10, true, -1.0 / 3, {{"loss", 1.0 / 3}, {"perplexity", 1e300}}},
                       {20, false, 0.1, {}}};
  ASSERT_TRUE(
      SaveCheckpoint({folder.path()}, state, Parameters(*saved.model), saved.optimizer->State(), 1)
          .ok());

  Trained loaded(2);
  ASSERT_FALSE(Same(Parameters(*loaded.model), Parameters(*saved.model)));
  const absl::StatusOr<TrainerState> read =
      LoadCheckpoint({folder.path()}, Parameters(*loaded.model), loaded.optimizer->State());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(Same(Parameters(*loaded.model), Parameters(*saved.model)));
  EXPECT_TRUE(Same(loaded.optimizer->State(), saved.optimizer->State()));
  EXPECT_EQ(read->update, 30);
  EXPECT_EQ(read->position.epoch, 2);
  EXPECT_EQ(read->position.batch, 17);
  EXPECT_EQ(read->seconds, 12.1);
  ASSERT_EQ(read->validations.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read->validations[i].update, state.validations[i].update);
    EXPECT_EQ(read->validations[i].score, state.validations[i].score);  // Bit for bit.
    EXPECT_EQ(read->validations[i].metrics, state.validations[i].metrics);
  }
}

TEST(Checkpoint, LinksLeadToTheLatestAndTheBest) {
  TemporaryFolder folder;
  const RunFolder run = {folder.path()};
  TrainerState state;
  state.update = 1;
  ASSERT_TRUE(Save(run, state).ok());
  EXPECT_EQ(fs::read_symlink(run.Latest()), "step-1");
  EXPECT_FALSE(fs::exists(fs::symlink_status(run.Best())));  // There was no validation.

  for (const auto& [update, score, best] :
       {std::tuple(2, 5.0, "step-2"), std::tuple(3, 4.0, "step-2"), std::tuple(4, 6.0, "step-4")}) {
    state.update = update;
    state.validations.push_back(Scored(update, score));
    ASSERT_TRUE(Save(run, state).ok());
    EXPECT_EQ(fs::read_symlink(run.Latest()), "step-" + std::to_string(update));
    EXPECT_EQ(fs::read_symlink(run.Best()), best);
  }
  // Saved without a validation of its own.
  state.update = 5;
  ASSERT_TRUE(Save(run, state).ok());
  EXPECT_EQ(fs::read_symlink(run.Latest()), "step-5");
  EXPECT_EQ(fs::read_symlink(run.Best()), "step-4");
}

TEST(Checkpoint, KeepsTheLastStepsAndTheBest) {
  for (const int64_t keep_last : {1, 2}) {
    TemporaryFolder folder;
    const RunFolder run = {folder.path()};
    folder.Write("config.yaml", "");
    TrainerState state;
    for (const int64_t update : {8, 9, 10, 11, 100}) {  // By number, not by name.
      state.update = update;
      state.validations.push_back(Scored(update, update == 9 ? 1 : 0));
      ASSERT_TRUE(Save(run, state, keep_last).ok());
    }
    if (keep_last == 1) {
      EXPECT_THAT(folder.Names(),
                  ElementsAre("best", "config.yaml", "latest", "step-100", "step-9"));
    } else {
      EXPECT_THAT(folder.Names(),
                  ElementsAre("best", "config.yaml", "latest", "step-100", "step-11", "step-9"));
    }
    EXPECT_TRUE(fs::exists(run.Best() + kWeightsFile));
    EXPECT_TRUE(fs::exists(run.Latest() + kWeightsFile));
  }
}

// As after a crash between a checkpoint and its links, or after a return to an earlier checkpoint.
TEST(Checkpoint, SaveBelowALaterStepStaysAndTheLaterOneGoes) {
  for (const int64_t keep_last : {1, 3}) {
    TemporaryFolder folder;
    const RunFolder run = {folder.path()};
    TrainerState state;
    for (const int64_t update : {20, 40, 60}) {
      state.update = update;
      state.validations.push_back(Scored(update, static_cast<double>(update)));
      ASSERT_TRUE(Save(run, state, 3).ok());
    }
    ASSERT_TRUE(ReplaceLink("step-20", run.Latest()).ok());
    state.validations = {Scored(20, 20), Scored(30, 10)};
    state.update = 30;
    ASSERT_TRUE(Save(run, state, keep_last).ok());
    EXPECT_THAT(folder.Names(), ElementsAre("best", "latest", "step-20", "step-30"));
    EXPECT_EQ(fs::read_symlink(run.Latest()), "step-30");
    EXPECT_EQ(fs::read_symlink(run.Best()), "step-20");
    EXPECT_TRUE(Load(run).ok());
  }
}

TEST(Checkpoint, BestIsPutRightBehindACrashBetweenTheLinks) {
  TemporaryFolder folder;
  const RunFolder run = {folder.path()};
  TrainerState state;
  for (const int64_t update : {40, 60}) {
    state.update = update;
    state.validations.push_back(Scored(update, static_cast<double>(update)));
    ASSERT_TRUE(Save(run, state, 2).ok());
  }
  ASSERT_TRUE(ReplaceLink("step-40", run.Best()).ok());
  ASSERT_TRUE(LinkBest(run, state).ok());
  EXPECT_EQ(fs::read_symlink(run.Best()), "step-60");
  ASSERT_TRUE(ReplaceLink("step-40", run.Best()).ok());
  state.update = 80;
  state.validations.push_back(Scored(80, 0));
  ASSERT_TRUE(Save(run, state).ok());
  EXPECT_EQ(fs::read_symlink(run.Best()), "step-60");
  EXPECT_THAT(folder.Names(), ElementsAre("best", "latest", "step-60", "step-80"));
}

TEST(Checkpoint, BestOfAValidationThatWasNotSavedIsTheBestThatWas) {
  TemporaryFolder folder;
  const RunFolder run = {folder.path()};
  TrainerState state;
  state.update = 10;
  state.validations = {Scored(5, 9), Scored(10, 1)};
  ASSERT_TRUE(Save(run, state).ok());
  EXPECT_EQ(fs::read_symlink(run.Best()), "step-10");
  state.validations = {Scored(5, 9)};  // And without a checkpoint there is none.
  ASSERT_TRUE(LinkBest(run, state).ok());
  EXPECT_FALSE(fs::exists(fs::symlink_status(run.Best())));
}

TEST(Checkpoint, MissingLinkLeadsToTheLastStepAgain) {
  TemporaryFolder folder;
  const RunFolder run = {folder.path()};
  ASSERT_TRUE(LinkLatest(run).ok());
  EXPECT_TRUE(folder.Names().empty());
  TrainerState state;
  for (const int64_t update : {9, 10}) {
    state.update = update;
    ASSERT_TRUE(Save(run, state, 2).ok());
  }
  fs::remove(run.Latest());
  ASSERT_TRUE(LinkLatest(run).ok());
  EXPECT_EQ(fs::read_symlink(run.Latest()), "step-10");
}

TEST(Checkpoint, OlderStepsCountTheUpdatesOfWhatHasMoved) {
  TemporaryFolder folder;
  const RunFolder run = {folder.path()};
  Trained saved(1);
  TensorMap optimizer_state = saved.optimizer->State();
  const std::string moved = "bridge.dense.bias", rested = "bridge.dense.weight";
  optimizer_state.at("mean." + rested).zero_();
  for (auto entry = optimizer_state.begin(); entry != optimizer_state.end();)
    entry = entry->first.rfind("count.", 0) == 0 ? optimizer_state.erase(entry) : std::next(entry);
  TrainerState state;
  state.update = 30;
  ASSERT_TRUE(SaveCheckpoint(run, state, Parameters(*saved.model), optimizer_state, 1).ok());
  Trained loaded(2);
  ASSERT_TRUE(
      LoadCheckpoint(run, Parameters(*loaded.model), loaded.optimizer->State()).status().ok());
  EXPECT_EQ(loaded.optimizer->State().at("count." + moved).item<double>(), 30);
  EXPECT_EQ(loaded.optimizer->State().at("count." + rested).item<double>(), 0);
}

TEST(Checkpoint, DamagedStateIsDataLossAndNamed) {
  TemporaryFolder folder;
  const RunFolder run = {folder.path()};
  ASSERT_TRUE(Save(run, TrainerState()).ok());
  ASSERT_TRUE(Load(run).ok());
  const std::string whole = folder.Read("latest/trainer.json");
  const std::string wrong[] = {
      "",
      "not JSON",
      "{}",
      "[]",
      "null",
      whole.substr(0, whole.size() / 2),
      R"({"update": "ten", "position": {"epoch": 0, "batch": 0}, "seconds": 0,)"
      R"( "validations": []})"};
  for (const std::string& text : wrong) {
    folder.Write("latest/trainer.json", text);
    const absl::Status status = Load(run);
    EXPECT_TRUE(absl::IsDataLoss(status)) << text << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(folder / "latest/trainer.json"));
  }
}

TEST(Checkpoint, CutWeightsAreDataLossAndChangeNothing) {
  for (const std::string name : {"model.safetensors", "optimizer.safetensors"}) {
    TemporaryFolder folder;
    const RunFolder run = {folder.path()};
    ASSERT_TRUE(Save(run, TrainerState()).ok());
    fs::resize_file(run.Latest() + "/" + name, fs::file_size(run.Latest() + "/" + name) - 1);
    Trained loaded(2);
    const absl::Status status =
        LoadCheckpoint(run, Parameters(*loaded.model), loaded.optimizer->State()).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(run.Latest() + "/" + name));
    EXPECT_TRUE(Same(Parameters(*loaded.model), Parameters(*Trained(2).model)));
  }
}

TEST(Checkpoint, WeightsThatAreNotFiniteAreDataLoss) {
  TemporaryFolder folder;
  const RunFolder run = {folder.path()};
  Trained trained(1);
  const torch::NoGradGuard no_grad;
  const TensorMap weights = Parameters(*trained.model);
  weights.begin()->second.view(-1)[0] = std::nan("");
  ASSERT_TRUE(SaveCheckpoint(run, TrainerState(), weights, trained.optimizer->State(), 1).ok());
  const absl::Status status = Load(run);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(run.Latest() + "/model.safetensors"));
}

TEST(Checkpoint, MissingFilesAreErrorsThatNameThem) {
  for (const std::string name : {"model.safetensors", "optimizer.safetensors", "trainer.json"}) {
    TemporaryFolder folder;
    const RunFolder run = {folder.path()};
    ASSERT_TRUE(Save(run, TrainerState()).ok());
    fs::remove(run.Latest() + "/" + name);
    const absl::Status status = Load(run);
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(status.message()), HasSubstr(run.Latest() + "/" + name));
  }
}

TEST(Checkpoint, StepOfAnotherModelOrOptimizerIsRefusedByName) {
  TemporaryFolder folder;
  const RunFolder run = {folder.path()};
  ASSERT_TRUE(Save(run, TrainerState()).ok());
  ModelOptions deeper = TinyOptions();
  deeper.decoder.layers = 2;
  Trained other(2, deeper);
  const absl::Status model =
      LoadCheckpoint(run, Parameters(*other.model), other.optimizer->State()).status();
  EXPECT_TRUE(absl::IsInvalidArgument(model)) << model;
  EXPECT_THAT(std::string(model.message()),
              AllOf(HasSubstr(run.Latest()), HasSubstr("'bridge.dense.bias'")));

  Trained sgd(2);
  OptimizerOptions options;
  options.kind = OptimizerKind::kSgd;
  const std::unique_ptr<Optimizer> optimizer = MakeOptimizer(options, {{Parameters(*sgd.model)}});
  const absl::Status status =
      LoadCheckpoint(run, Parameters(*sgd.model), optimizer->State()).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(run.Latest() + "/optimizer.safetensors"));
}

TEST(Checkpoint, FailedSaveNamesThePathAndLeavesTheLastStepWhole) {
  TemporaryFolder folder;
  const RunFolder run = {folder.path()};
  TrainerState state;
  state.update = 1;
  ASSERT_TRUE(Save(run, state).ok());

  state.update = 2;
  const RunFolder below = {folder.Write("file", "") + "/run"};
  const absl::Status no_folder = Save(below, state);
  EXPECT_FALSE(no_folder.ok());
  EXPECT_THAT(std::string(no_folder.message()), HasSubstr(below.Step(2)));

  fs::remove(run.Latest());
  fs::create_directories(run.Latest() + "/in the way");
  const absl::Status no_link = Save(run, state);
  EXPECT_FALSE(no_link.ok());
  EXPECT_THAT(std::string(no_link.message()), HasSubstr(run.Latest()));
  EXPECT_TRUE(ReadTensors(run.Step(1) + kWeightsFile).ok());
}

}  // namespace
}  // namespace seq2seq
