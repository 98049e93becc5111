#include "seq2seq/tune/sweep_folder.h"

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "seq2seq/base/file.h"
#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

class SweepFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    file_ = folder_.path() + "/sweep.yaml";
    ASSERT_TRUE(WriteFile(folder_.path() + "/base.yaml", "train: {seed: 3}\n").ok());
    WriteSweep("method: random\nparameters:\n  x: {min: 0.0, max: 1}\n");
  }

  void WriteSweep(const std::string& text) {
    ASSERT_TRUE(WriteFile(file_, absl::StrCat("config: [", folder_.path(), "/base.yaml]\nfolder: ",
                                              folder_.path(), "/work\nbudget: {trials: 3}\n", text))
                    .ok());
  }

  Sweep Read(const std::vector<std::string>& settings = {}) {
    return ReadSweep(file_, settings).value();
  }

  TemporaryFolder folder_;
  std::string file_;
};

TEST_F(SweepFolderTest, TrialsAreHeldByOneProcess) {
  const Sweep sweep = Read();
  const Scheduler scheduler(sweep, {0});
  SweepFolder one = SweepFolder::Open(file_, sweep).value();
  SweepFolder other = SweepFolder::Open(file_, sweep).value();
  bool wait = false;
  {
    const auto first = one.TakeNext(scheduler, wait).value();
    const auto second = other.TakeNext(scheduler, wait).value();
    EXPECT_EQ(first->trial.number, 1);
    EXPECT_EQ(second->trial.number, 2);
    EXPECT_NE(first->trial.point, second->trial.point);
    EXPECT_TRUE(one.Trials().value()[1].held);
  }
  const auto again = other.TakeNext(scheduler, wait).value();  // Both are free, and unfinished.
  EXPECT_EQ(again->trial.number, 1);
}

TEST_F(SweepFolderTest, ResultsStay) {
  const Sweep sweep = Read();
  const Scheduler scheduler(sweep, {0});
  SweepFolder folder = SweepFolder::Open(file_, sweep).value();
  bool wait = false;
  Trial trial = folder.TakeNext(scheduler, wait).value()->trial;
  trial.results.push_back({120, 31.25, 7.5});
  trial.complete = true;
  ASSERT_TRUE(folder.Keep(trial).ok());
  trial.number = 2;
  trial.error = "it ended\nin two lines \xff";
  std::filesystem::create_directory(folder.paths().Trial(2));
  ASSERT_TRUE(folder.Keep(trial).ok());
  const std::vector<Trial> trials =
      ReadTrials({folder_.path() + "/work"}, ReadStoredSweep(folder_.path() + "/work")->space)
          .value();
  ASSERT_EQ(trials.size(), 2);
  EXPECT_EQ(trials[0].point, trial.point);
  EXPECT_EQ(trials[0].results[0].updates, 120);
  EXPECT_EQ(trials[0].results[0].value, 31.25);
  EXPECT_TRUE(trials[0].complete);
  EXPECT_FALSE(trials[0].failed());
  EXPECT_THAT(trials[1].error, HasSubstr("in two lines"));
}

TEST_F(SweepFolderTest, GoesOnWithTheSameSweepAlone) {
  ASSERT_TRUE(SweepFolder::Open(file_, Read()).ok());
  EXPECT_TRUE(SweepFolder::Open(file_, Read({"budget.trials=30", "parallel=4"})).ok());
  EXPECT_THAT(SweepFolder::Open(file_, Read({"seed=2"})).status().message(),
              AllOf(HasSubstr("seed = 1"), HasSubstr("2"), HasSubstr("another folder")));
  WriteSweep("method: random\nparameters:\n  x: {min: 0.0, max: 2}\n");
  EXPECT_THAT(SweepFolder::Open(file_, Read()).status().message(), HasSubstr("the parameter x"));
  WriteSweep("method: random\nparameters:\n  x: {min: 0.0, max: 1}\n  y: {value: 1}\n");
  EXPECT_THAT(SweepFolder::Open(file_, Read()).status().message(), HasSubstr("parameters"));
}

TEST_F(SweepFolderTest, KeepsCopiesOfConfigurationFiles) {
  const SweepFolder folder = SweepFolder::Open(file_, Read()).value();
  ASSERT_TRUE(WriteFile(folder_.path() + "/base.yaml", "train: {seed: 4}\n").ok());
  EXPECT_EQ(ReadFile(folder.paths().Config(1)).value(), "train: {seed: 3}\n");
}

TEST_F(SweepFolderTest, RefusesFoldersOfSomethingElse) {
  std::filesystem::create_directory(folder_.path() + "/work");
  ASSERT_TRUE(WriteFile(folder_.path() + "/work/thesis.txt", "").ok());
  EXPECT_EQ(SweepFolder::Open(file_, Read()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(ReadStoredSweep(folder_.path() + "/work").status().message(),
              HasSubstr("work: not the folder of a sweep"));
}

TEST_F(SweepFolderTest, DamagedFilesAreNamed) {
  const Sweep sweep = Read();
  SweepFolder folder = SweepFolder::Open(file_, sweep).value();
  bool wait = false;
  ASSERT_TRUE(folder.TakeNext(Scheduler(sweep, {0}), wait).ok());
  for (const char* text :
       {"", "{", "[]", "{\"number\": 1}",
        "{\"number\":1,\"rung\":0,\"complete\":false,\"error\":\"\",\"results\":[],"
        "\"parameters\":{\"x\":\"7\"}}"}) {
    ASSERT_TRUE(WriteFile(folder.paths().TrialFile(1), text).ok());
    EXPECT_EQ(folder.Trials().status().code(), absl::StatusCode::kDataLoss) << text;
    EXPECT_THAT(folder.Trials().status().message(), HasSubstr("trial-1/trial.json"));
  }
  ASSERT_TRUE(WriteFile(folder.paths().Clock(), "[").ok());
  EXPECT_THAT(folder.Tick().status().message(), HasSubstr("clock.json"));
}

TEST_F(SweepFolderTest, ClockCountsTimeOnceForAllProcesses) {
  const Sweep sweep = Read();
  SweepFolder one = SweepFolder::Open(file_, sweep).value();
  SweepFolder other = SweepFolder::Open(file_, sweep).value();
  EXPECT_EQ(one.Tick().value(), 0);
  EXPECT_EQ(other.Tick().value(), 0);
  double last = 0;
  for (int i = 0; i < 50; ++i) {
    const double now = (i % 2 == 0 ? one : other).Tick().value();
    EXPECT_GE(now, last);
    last = now;
  }
  EXPECT_GT(last, 0);
  SweepFolder later = SweepFolder::Open(file_, sweep).value();
  EXPECT_EQ(later.Tick().value(), last);  // What passed before its first call is not its.
  EXPECT_EQ(ReadClock(later.paths()).value(), last);
}

TEST_F(SweepFolderTest, ReadsTheMetricOfALog) {
  const std::string run = folder_.path() + "/run";
  EXPECT_TRUE(ReadTrialValidations(run, "bleu").value().empty());
  std::filesystem::create_directory(run);
  ASSERT_TRUE(WriteFile(run + "/log.jsonl",
                        "{\"event\":\"progress\",\"update\":5,\"bleu\":1}\nnonsense\n"
                        "{\"event\":\"validation\",\"update\":10,\"bleu\":2.5,\"loss\":null}\n"
                        "{\"event\":\"validation\",\"update\":20,\"bleu\":null}\n"
                        "{\"event\":\"validation\",\"update\":30,\"bleu\":1.5}\n{\"event\":\"vali")
                  .ok());
  const std::vector<TrialValidation> validations = ReadTrialValidations(run, "bleu").value();
  ASSERT_EQ(validations.size(), 2);
  EXPECT_EQ(validations[0].value, 2.5);
  EXPECT_EQ(validations[1].update, 30);
  EXPECT_TRUE(ReadTrialValidations(run, "loss").value().empty());
}

}  // namespace
}  // namespace seq2seq
