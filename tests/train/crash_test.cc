// What a save that was cut off leaves of a run, and a failed save that is tried again.
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <nlohmann/json.hpp>
#include <torch/torch.h>

#include "seq2seq/base/file.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/train/checkpoint.h"
#include "seq2seq/train/run_log.h"
#include "tests/testing/faulty_file_system.h"
#include "tests/testing/temporary_folder.h"
#include "tests/train/trainer_fixture.h"

namespace seq2seq {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kUpdates[] = {2, 4, 6, 8};
constexpr double kScores[] = {1, 0, 3, 2};  // Of these updates.

// The state after the save `index`.
TrainerState StateOf(size_t index) {
  TrainerState state;
  state.update = kUpdates[index];
  for (size_t i = 0; i <= index; ++i)
    state.validations.push_back({kUpdates[i], /*scheduled=*/true, kScores[i], {}});
  return state;
}

// Weights that are different for each update.
TensorMap WeightsOf(int64_t update) {
  return {{"weight", torch::full({3}, static_cast<double>(update))}};
}

absl::Status Save(const RunFolder& run, size_t index) {
  SEQ2SEQ_RETURN_IF_ERROR(RunLog(run.Log()).Sync());
  return SaveCheckpoint(run, StateOf(index), WeightsOf(kUpdates[index]), {}, /*keep_last=*/1);
}

// The checkpoint that `folder` points to, which must be complete.
int64_t UpdateOfStep(const std::string& folder) {
  const auto weights = ReadTensors(folder + kWeightsFile);
  const auto memory = ReadTensors(folder + "/optimizer.safetensors");
  const auto state = ReadFile(folder + "/trainer.json");
  if (!weights.ok() || !memory.ok() || !state.ok()) {
    ADD_FAILURE() << folder << ": " << weights.status() << memory.status() << state.status();
    return -1;
  }
  const auto update = nlohmann::json::parse(*state).at("update").get<int64_t>();
  EXPECT_TRUE(torch::equal(weights->at("weight"), WeightsOf(update).at("weight"))) << folder;
  return update;
}

// Checks what the save with number `index`, which was cut off, left of `folder`, and continues.
void ExpectWholeAndGoOn(const TemporaryFolder& folder, size_t index) {
  const RunFolder run = {folder.path()};
  for (const int64_t update : StoredSteps(run)) EXPECT_EQ(UpdateOfStep(run.Step(update)), update);
  if (fs::exists(fs::symlink_status(run.Best()))) {
    const int64_t best = UpdateOfStep(run.Best());
    EXPECT_EQ(best, StateOf(static_cast<size_t>(best / 2 - 1)).Best()->update);
  }
  const bool first = !fs::exists(fs::symlink_status(run.Latest()));
  EXPECT_TRUE(!first || index == 0);

  RemoveTemporaries(run.path);
  ASSERT_TRUE(LinkLatest(run).ok());
  size_t next = 0;
  if (fs::exists(run.Latest())) {
    TensorMap weights = WeightsOf(0);
    const auto state = LoadCheckpoint(run, weights, {});
    ASSERT_TRUE(state.ok()) << state.status();
    next = static_cast<size_t>(state->update / 2);
    EXPECT_TRUE(next == index || next == index + 1) << next;
    ASSERT_TRUE(LinkBest(run, *state).ok());
    EXPECT_EQ(UpdateOfStep(run.Best()), state->Best()->update);
  }
  for (; next < std::size(kUpdates); ++next) ASSERT_TRUE(Save(run, next).ok());
  EXPECT_EQ(UpdateOfStep(run.Latest()), 8);
  EXPECT_EQ(UpdateOfStep(run.Best()), 6);
  EXPECT_THAT(folder.Names(),
              ::testing::ElementsAre("best", "latest", "log.jsonl", "step-6", "step-8"));
}

// Each save, ended before each of its calls, by a kill or by a power cut that keeps more or less.
TEST(Crash, AtAnyCallOfASaveLeavesWholeStepsToGoOnFrom) {
  for (size_t index = 0; index < std::size(kUpdates); ++index) {
    bool whole = false;
    for (int call = 1; !whole && !HasFailure(); ++call) {
      SCOPED_TRACE(absl::StrCat("save ", index, ", call ", call));
      const TemporaryFolder folder;
      FaultyFileSystem files(folder.path());
      for (size_t i = 0; i < index; ++i) ASSERT_TRUE(Save({folder.path()}, i).ok());
      files.FailFrom(call, EIO);
      (void)Save({folder.path()}, index);
      whole = files.calls() < call;
      files.FailNoMore();
      for (uint64_t seed = 0; seed < 4; ++seed) {
        SCOPED_TRACE(absl::StrCat("power cut ", seed));
        const TemporaryFolder left;
        files.CutPower(left.path(), seed);
        const FaultyFileSystem unsynced(left.path());
        ExpectWholeAndGoOn(left, index);
      }
      ExpectWholeAndGoOn(folder, index);
    }
  }
}

TEST(Crash, WhatIsInANewFolderSurvivesAPowerCut) {
  const TemporaryFolder folder, left;
  const FaultyFileSystem files(folder.path());
  ASSERT_TRUE(CreateFolders(folder / "a/b").ok());
  ASSERT_TRUE(WriteFile(folder / "a/b/file", "text").ok());
  files.CutPower(left.path(), /*seed=*/0);
  EXPECT_EQ(left.Read("a/b/file"), "text");
}

TEST(Crash, FolderThatCannotBeReplacedStays) {
  const TemporaryFolder folder;
  ASSERT_TRUE(CreateFolders(folder / "run").ok());
  folder.Write("run/file", "old");
  bool replaced = false;
  for (int call = 1; !replaced; ++call) {
    FaultyFileSystem files(folder.path());
    auto run = AtomicFolder::Create(folder / "run");
    ASSERT_TRUE(run.ok()) << run.status();
    ASSERT_TRUE(WriteFile(run->temporary() + "/file", "new").ok());
    files.FailAt(call, EIO);
    const absl::Status status = run->Commit();
    replaced = folder.Read("run/file") == "new";
    EXPECT_TRUE(replaced || (!status.ok() && folder.Read("run/file") == "old")) << status;
  }
}

// Trains eight updates, and saves after two, four and six of them.
class CrashTrainer : public TrainerTest {
 protected:
  CrashTrainer() {
    options_.max_updates = 8;
    options_.save_every = 2;
    options_.validate_every = 4;
    options_.report_every = 1;
    hooks_.on_warning = [this](const std::string& warning) { warnings_.push_back(warning); };
  }

  // One trainer until a bound or an error.
  absl::Status Run(const std::string& run) {
    options_.run = run;
    RemoveTemporaries(run);
    auto trainer = Create(hooks_);
    return trainer.ok() ? (*trainer)->Run().status() : trainer.status();
  }

  // "progress 1", …
  static std::vector<std::string> Events(const TemporaryFolder& folder) {
    std::vector<std::string> events;
    const std::string log = folder.Read("log.jsonl");
    for (const absl::string_view line : absl::StrSplit(log, '\n', absl::SkipEmpty())) {
      const nlohmann::json event = nlohmann::json::parse(line);
      events.push_back(absl::StrCat(event.at("event").get<std::string>(), " ",
                                    event.at("update").get<int64_t>()));
    }
    return events;
  }

  // Whether two runs ended alike, but for the time they took.
  static void ExpectSame(const TemporaryFolder& run, const TemporaryFolder& expected) {
    for (const std::string& name : expected.Names()) EXPECT_EQ(run.Names().count(name), 1u) << name;
    for (const std::string& name : run.Names()) {
      if (name.rfind("step-", 0) == 0) continue;  // What could not be removed.
      EXPECT_EQ(expected.Names().count(name), 1u) << name;
    }
    EXPECT_EQ(Events(run), Events(expected));
    for (const std::string step : {"latest", "best"}) {
      EXPECT_EQ(fs::read_symlink(run / step), fs::read_symlink(expected / step));
      for (const std::string file : {"/model.safetensors", "/optimizer.safetensors"}) {
        ASSERT_FALSE(expected.Read(step + file).empty());
        EXPECT_TRUE(run.Read(step + file) == expected.Read(step + file)) << step << file;
      }
      nlohmann::json states[2];
      for (size_t i = 0; i < 2; ++i) {
        states[i] = nlohmann::json::parse((i == 0 ? run : expected).Read(step + "/trainer.json"));
        states[i].erase("seconds");
      }
      EXPECT_EQ(states[0], states[1]);
    }
  }

  std::vector<std::string> warnings_;
  TrainerHooks hooks_;
};

TEST_F(CrashTrainer, AnyCallMayFailAndTheRunEndsAsIfNoneHad) {
  const TemporaryFolder whole;
  ASSERT_TRUE(Run(whole.path()).ok());
  for (const int error : {ENOSPC, EIO}) {
    bool failed = true;
    int survived = 0;
    for (int call = 1; failed && !HasFailure(); ++call) {
      SCOPED_TRACE(absl::StrCat("error ", error, ", call ", call));
      warnings_.clear();
      const TemporaryFolder folder;
      FaultyFileSystem files(folder.path());
      files.FailAt(call, error);
      const absl::Status status = Run(folder.path());
      failed = files.calls() >= call;
      if (!status.ok()) {
        EXPECT_THAT(std::string(status.message()),
                    AllOf(HasSubstr(folder.path()), Not(HasSubstr("\n"))));
        ASSERT_TRUE(Run(folder.path()).ok());
      } else if (!warnings_.empty()) {
        ++survived;
      }
      ExpectSame(folder, whole);
    }
    EXPECT_GT(survived, 0);
  }
}

TEST_F(CrashTrainer, FullDiskEndsItAfterSomeSavesAndItGoesOnWhenThereIsRoom) {
  const TemporaryFolder whole;
  ASSERT_TRUE(Run(whole.path()).ok());
  for (const int64_t may_fail : {0, 1, 5}) {
    bool failed = true;
    for (int call = 1; failed && !HasFailure(); call += 5) {
      SCOPED_TRACE(absl::StrCat("full from call ", call));
      options_.max_failed_saves = may_fail;
      warnings_.clear();
      const TemporaryFolder folder;
      FaultyFileSystem files(folder.path());
      files.FailFrom(call, ENOSPC);
      const absl::Status status = Run(folder.path());
      failed = !status.ok();
      if (failed) {
        EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
        EXPECT_LE(static_cast<int64_t>(warnings_.size()), may_fail);
      }
      files.FailNoMore();
      ASSERT_TRUE(Run(folder.path()).ok());
      ExpectSame(folder, whole);
    }
  }
}

// What is synced by itself survives a power cut during training.
TEST_F(CrashTrainer, GoesOnAfterAPowerCut) {
  const TemporaryFolder whole;
  ASSERT_TRUE(Run(whole.path()).ok());
  bool cut = true;
  for (int call = 1; cut && !HasFailure(); call += 7) {
    for (const uint64_t seed : {uint64_t{0}, uint64_t{2}}) {
      SCOPED_TRACE(absl::StrCat("cut at call ", call, ", ", seed));
      options_.max_failed_saves = 0;
      const TemporaryFolder folder, left;
      {
        FaultyFileSystem files(folder.path());
        files.FailFrom(call, EIO);
        cut = !Run(folder.path()).ok();
        files.CutPower(left.path(), seed);
      }
      const FaultyFileSystem unsynced(left.path());
      ASSERT_TRUE(Run(left.path()).ok());
      ExpectSame(left, whole);
    }
  }
}

}  // namespace
}  // namespace seq2seq
