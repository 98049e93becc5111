#include "seq2seq/train/image_data.h"

#include <filesystem>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "tests/testing/script_file.h"
#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

// Four images of one colour each, and a frozen network.
class ImageDataTest : public ::testing::Test {
 protected:
  ImageDataTest() {
    std::string table;
    for (int i = 0; i < 4; ++i) {
      const std::string name = absl::StrCat("image-", i);
      folder_.Write(name, absl::StrCat("P6 16 16 255\n",
                                       std::string(16 * 16 * 3, static_cast<char>(40 * i))));
      absl::StrAppend(&table, name, "\ta caption\n");
    }
    table_ = run_.Write("table", table);
    config_.data.images = folder_.path();
    config_.model.source = SourceKind::kImage;
    config_.model.image.input.size = 16;
    config_.model.image.network.kind = ImageNetworkKind::kTorchscript;
    config_.model.image.network.path = WriteScript(run_);
    config_.model.image.network.allow_scripts = true;
    std::filesystem::create_directory(run_ / "cache");
  }

  absl::StatusOr<std::unique_ptr<ImageData>> Prepare() {
    return ImageData::Prepare({run_.path()}, torch::kCPU, {table_}, config_);
  }

  std::string Mistake() { return std::string(Prepare().status().message()); }

  const TemporaryFolder folder_, run_;
  std::string table_;
  TrainingConfig config_;
};

TEST_F(ImageDataTest, FrozenNetworksSeeAugmentedViewsInTrainingAlone) {
  config_.data.augment.jitter = 0.3;
  config_.data.augment.views = 2;
  const auto data = Prepare();
  ASSERT_TRUE(data.ok()) << data.status();
  const ImageReader read = (*data)->Reader();
  const torch::Tensor plain = read({1, 2}, std::nullopt);
  EXPECT_TRUE(plain.equal(read({1, 2}, std::nullopt)));
  std::set<float> seen;
  for (uint64_t seed = 0; seed < 50; ++seed) seen.insert(read({1}, seed)[0][0][0].item<float>());
  EXPECT_EQ(seen.size(), 3);  // The image and its views.
  EXPECT_EQ(seen.count(plain[0][0][0].item<float>()), 1);

  config_.data.augment = AugmentOptions();
  const auto without = Prepare();
  ASSERT_TRUE(without.ok()) << without.status();
  EXPECT_TRUE(plain.equal((*without)->Reader()({1, 2}, 7)));
}

TEST_F(ImageDataTest, AugmentationThatNobodySeesIsAMistake) {
  config_.data.augment.flip = true;
  EXPECT_THAT(Mistake(), HasSubstr("data.augment.views says, which is 0"));
  config_.data.augment = AugmentOptions();
  config_.data.augment.views = 3;
  EXPECT_THAT(Mistake(), HasSubstr("data.augment.views: is 3, but flip, crop and jitter are off"));
  config_.data.augment.flip = true;
  config_.model.image.network.fine_tune = true;
  EXPECT_THAT(Mistake(), HasSubstr("data.augment.views: is 3, but the image network is trained"));
}

}  // namespace
}  // namespace seq2seq
