#include "seq2seq/model/run_folder.h"

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "tests/temporary_folder.h"
#include "tests/tiny_model.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

namespace fs = std::filesystem;

std::string FindError(const std::string& path) {
  const absl::Status status = FindModel(path).status();
  EXPECT_TRUE(absl::IsNotFound(status) || absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

TEST(RunFolder, LoadedModelHasTheStoredOptionsAndWeights) {
  TemporaryFolder folder;
  ModelOptions options = TinyOptions();
  options.decoder.attention = AttentionKind::kMlp;
  options.encoder.layers = 2;
  const Model model = TinyModel(options, torch::kFloat32);
  WriteRun(folder, options, *model);
  const absl::StatusOr<StoredModel> stored = FindModel(folder.path());
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(stored->options.decoder.attention, AttentionKind::kMlp);
  const absl::StatusOr<Model> loaded = LoadModel(*stored);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_FALSE((*loaded)->is_training());
  const TensorMap expected = Parameters(*model), parameters = Parameters(**loaded);
  ASSERT_EQ(parameters.size(), expected.size());
  for (const auto& [name, tensor] : parameters) {
    EXPECT_TRUE(torch::equal(tensor, expected.at(name))) << name;
    EXPECT_TRUE(tensor.requires_grad()) << name;
  }
}

TEST(RunFolder, LoadedModelCanBeTrained) {
  TemporaryFolder folder;
  WriteRun(folder, TinyOptions(), *TinyModel(TinyOptions(), torch::kFloat32));
  absl::StatusOr<Model> loaded = LoadModel(*FindModel(folder.path()));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : Parameters(**loaded)) tensor.add_(1);  // Not into the mapped file.
}

TEST(RunFolder, TheBestStepIsPreferredAndAStepCanBeNamed) {
  TemporaryFolder folder;
  const RunFolder run = WriteRun(folder, TinyOptions(), *TinyModel(TinyOptions(), torch::kFloat32));
  EXPECT_EQ(FindModel(run.path)->step, run.Latest());
  fs::copy(run.Step(1), run.Step(7));
  fs::create_directory_symlink("step-7", run.Best());
  EXPECT_EQ(FindModel(run.path)->step, run.Best());

  for (const std::string& path : {run.Step(1), run.Latest(), run.Step(7) + "/"}) {
    const absl::StatusOr<StoredModel> stored = FindModel(path);
    ASSERT_TRUE(stored.ok()) << stored.status();
    EXPECT_EQ(stored->step, path);
    EXPECT_TRUE(fs::equivalent(stored->run.path, run.path)) << stored->run.path;
    EXPECT_TRUE(LoadModel(*stored).ok());
  }
}

TEST(RunFolder, LinksThatLeadNowhereAreNotTaken) {
  TemporaryFolder folder;
  const RunFolder run = WriteRun(folder, TinyOptions(), *TinyModel(TinyOptions(), torch::kFloat32));
  fs::create_directory_symlink("step-9", run.Best());
  EXPECT_EQ(FindModel(run.path)->step, run.Latest());
}

TEST(RunFolder, WhatIsMissingIsNamed) {
  TemporaryFolder folder;
  EXPECT_EQ(FindError(folder / "none"), (folder / "none") + ": no such run folder");
  EXPECT_THAT(FindError(folder.path()), AllOf(StartsWith(folder.path()), HasSubstr("config.yaml")));
  ModelConfig config = {TinyOptions()};
  folder.Write("config.yaml", PrintOptions(ListOptions(config)));
  EXPECT_EQ(FindError(folder.path()), folder.path() + ": no weights have been saved in it yet");
}

TEST(RunFolder, WrongConfigIsNamed) {
  TemporaryFolder folder;
  WriteRun(folder, TinyOptions(), *TinyModel(TinyOptions(), torch::kFloat32));
  folder.Write("config.yaml", "model:\n  sauce_vocab: 3\n");
  EXPECT_THAT(FindError(folder.path()),
              AllOf(HasSubstr(folder / "config.yaml"), HasSubstr("sauce_vocab")));
  folder.Write("config.yaml", "model:\n  target_vocab: 5\n");
  EXPECT_THAT(FindError(folder.path()),
              AllOf(HasSubstr(folder / "config.yaml"), HasSubstr("model.source_vocab")));
}

TEST(RunFolder, SectionsOfOtherProgramsAreIgnored) {
  TemporaryFolder folder;
  WriteRun(folder, TinyOptions(), *TinyModel(TinyOptions(), torch::kFloat32));
  folder.Write("config.yaml", folder.Read("config.yaml") +
                                  "train:\n  run: x\ndata:\n  y: 1\nvalidation:\n  z: 2\n");
  EXPECT_TRUE(FindModel(folder.path()).ok()) << FindModel(folder.path()).status();
}

TEST(RunFolder, WeightsOfAnotherShapeAreAnErrorThatNamesFileAndTensor) {
  TemporaryFolder folder;
  WriteRun(folder, TinyOptions(), *TinyModel(TinyOptions(), torch::kFloat32));
  ModelConfig config = {TinyOptions()};
  config.model.target_vocab += 1;
  folder.Write("config.yaml", PrintOptions(ListOptions(config)));
  const absl::Status status = LoadModel(*FindModel(folder.path())).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(
      std::string(status.message()),
      AllOf(HasSubstr(kWeightsFile), HasSubstr("decoder.embedding.weight"), HasSubstr("[9, 6]")));
}

TEST(RunFolder, DamagedWeightsAreDataLoss) {
  TemporaryFolder folder;
  const RunFolder run = WriteRun(folder, TinyOptions(), *TinyModel(TinyOptions(), torch::kFloat32));
  fs::resize_file(run.Step(1) + kWeightsFile, 1000);
  const absl::Status status = LoadModel(*FindModel(folder.path())).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), StartsWith(run.Latest() + kWeightsFile));
}

TEST(RunFolder, ModelTooLargeForMemoryIsAnErrorAndNoException) {
  TemporaryFolder folder;
  WriteRun(folder, TinyOptions(), *TinyModel(TinyOptions(), torch::kFloat32));
  ModelConfig config = {TinyOptions()};
  config.model.source_vocab = config.model.encoder.embedding = 10'000'000;
  folder.Write("config.yaml", PrintOptions(ListOptions(config)));
  const absl::StatusOr<StoredModel> stored = FindModel(folder.path());
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_FALSE(LoadModel(*stored).ok());
}

}  // namespace
}  // namespace seq2seq
