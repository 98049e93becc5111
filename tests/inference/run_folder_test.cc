#include "seq2seq/inference/run_folder.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/model/stored_module.h"
#include "tests/testing/script_file.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/tiny_model.h"

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

TEST(RunFolder, BestThatLeadsNowhereIsNotQuietlyTheLatest) {
  TemporaryFolder folder;
  const RunFolder run = WriteRun(folder, TinyOptions(), *TinyModel(TinyOptions(), torch::kFloat32));
  fs::create_directory_symlink("step-9", run.Best());
  const absl::Status status = FindModel(run.path).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), StartsWith(run.Best() + ": leads to no weights"));
}

TEST(RunFolder, WhatLeadsOutOfItIsRefusedByName) {
  const TemporaryFolder outside;
  const std::string file = outside.Write("model.safetensors", "secret");
  const auto expect_refused = [](const std::string& name, const std::string& target) {
    TemporaryFolder folder;
    const RunFolder run =
        WriteRun(folder, TinyOptions(), *TinyModel(TinyOptions(), torch::kFloat32));
    ASSERT_TRUE(FindModel(run.path).ok());
    fs::remove_all(folder / name);
    fs::create_symlink(target, folder / name);
    EXPECT_THAT(std::string(CheckInside(run).message()),
                HasSubstr(fs::path(name).filename().string() + ": leads out of the run folder"));
    EXPECT_FALSE(FindModel(run.path).ok()) << name;
  };
  for (const char* name :
       {"config.yaml", "source.model", "target.model", "image_network", "shortlist.safetensors",
        "log.jsonl", "step-1/model.safetensors", "step-1/trainer.json"}) {
    expect_refused(name, file);
  }
  for (const char* name : {"latest", "best", "cache", "step-3"})
    expect_refused(name, outside.path());
  expect_refused("best", "../" + fs::path(outside.path()).filename().string());
  expect_refused("log.jsonl", outside / "not there yet");
}

TEST(RunFolder, LinksWithinItAreTakenAndLinksToItToo) {
  TemporaryFolder folder;
  const TemporaryFolder elsewhere;
  const RunFolder run = WriteRun(folder, TinyOptions(), *TinyModel(TinyOptions(), torch::kFloat32));
  fs::create_directory_symlink(run.Step(1), run.Best());  // By its whole path.
  EXPECT_TRUE(FindModel(run.path).ok()) << FindModel(run.path).status();
  fs::create_directory_symlink(run.path, elsewhere / "run");
  fs::create_directory_symlink(run.Step(1), elsewhere / "step");
  for (const char* name : {"run", "step"})
    EXPECT_TRUE(FindModel(elsewhere / name).ok()) << FindModel(elsewhere / name).status();
  // What is not of the run may lead wherever its owner likes.
  fs::create_directory_symlink(elsewhere.path(), folder / "notes");
  EXPECT_TRUE(FindModel(run.path).ok()) << FindModel(run.path).status();
}

TEST(RunFolder, LinksThroughAnotherFolderAreRefusedToo) {
  TemporaryFolder folder;
  const TemporaryFolder outside;
  const RunFolder run = WriteRun(folder, TinyOptions(), *TinyModel(TinyOptions(), torch::kFloat32));
  fs::create_directory(folder / "notes");
  fs::create_symlink(outside.Write("w", ""), (folder / "notes") + kWeightsFile);
  fs::create_directory_symlink("notes", run.Best());
  EXPECT_THAT(FindError(run.path),
              AllOf(StartsWith(run.Best() + kWeightsFile), HasSubstr("leads out")));
}

TEST(RunFolder, PipesAreRefused) {
  TemporaryFolder folder;
  const RunFolder run = WriteRun(folder, TinyOptions(), *TinyModel(TinyOptions(), torch::kFloat32));
  ASSERT_EQ(mkfifo(run.TargetTokenizer().c_str(), 0600), 0);
  EXPECT_EQ(FindError(run.path), run.TargetTokenizer() + ": is neither a file nor a folder");
}

TEST(RunFolder, ScriptsRunOnlyWhereTheyAreAllowed) {
  TemporaryFolder folder;
  ModelOptions options = TinyOptions();
  options.source = SourceKind::kImage;
  options.image.network.kind = ImageNetworkKind::kTorchscript;
  options.image.network.path = WriteScript(folder);
  options.image.network.allow_scripts = true;
  options.image.channels = 4;
  options.image.hidden = 8;
  const RunFolder run = WriteRun(folder, options, *TinyModel(options, torch::kFloat32));
  fs::copy(folder / "network.pt", run.ImageNetwork());
  absl::StatusOr<StoredModel> stored = FindModel(run.path);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_THAT(std::string(LoadModel(*stored).status().message()),
              AllOf(HasSubstr(run.ImageNetwork()), HasSubstr("--allow-scripts")));
  stored->options.image.network.allow_scripts = true;
  EXPECT_TRUE(LoadModel(*stored).ok()) << LoadModel(*stored).status();
  // The folder cannot allow it.
  folder.Write("config.yaml", "model: {image: {network: {allow_scripts: true}}}\n");
  EXPECT_THAT(FindError(run.path), HasSubstr("unknown key 'model.image.network.allow_scripts'"));
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
