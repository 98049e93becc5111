#include "seq2seq/data/feature_cache.h"

#include <array>
#include <cstring>
#include <filesystem>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/file.h"
#include "seq2seq/base/log.h"
#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

// Forty files of one number each, whose features are two positions of three channels.
class FeatureCacheTest : public ::testing::Test {
 protected:
  FeatureCacheTest() {
    std::string table;
    for (int i = 0; i < 40; ++i) {
      const std::string name = absl::StrCat("image-", i / 10, i % 10);
      folder_.Write(name, absl::StrCat(i));
      absl::StrAppend(&table, name, "\tsomething\n", name, "\tsomething else\n");
    }
    table_ = tables_.Write("table", table);
  }

  ImageSet Images() const {
    absl::StatusOr<ImageSet> images = ImageSet::Open(folder_.path(), {table_});
    EXPECT_TRUE(images.ok()) << images.status();
    return *std::move(images);
  }

  FeatureCache::Network Network() {
    return {.read = [this](const std::string& path, int64_t view) -> absl::StatusOr<Array> {
              ++reads_;
              const auto bytes = ReadFile(path);
              if (!bytes.ok()) return bytes.status();
              if (*bytes == "bad") return absl::InvalidArgumentError(path + ": is bad");
              const Array number = Array::Empty(ArrayType::kFloat32, {1});
              *number.values<float>() = std::stof(*bytes) + 100 * static_cast<float>(view);
              return number;
            },
            .compute =
                [](const torch::Tensor& batch) {
                  return batch.view({-1, 1, 1}) + torch::arange(6).view({1, 2, 3}) / 8.0;
                },
            .fingerprint = 7};
  }

  absl::StatusOr<FeatureCache> Build(ImageSet& images, const FeatureCache::Network& network) const {
    return FeatureCache::Build(tables_ / "cache", images, network, {});
  }

  const TemporaryFolder folder_;
  const TemporaryFolder tables_;
  std::string table_;
  int reads_ = 0;
};

TEST_F(FeatureCacheTest, GivesWhatTheNetworkSays) {
  ImageSet images = Images();
  ASSERT_EQ(images.size(), 40);
  const auto cache = Build(images, Network());
  ASSERT_TRUE(cache.ok()) << cache.status();
  EXPECT_EQ(cache->channels(), 3);
  const torch::Tensor features = cache->Read({17, 3});
  const torch::Tensor expected = Network().compute(torch::tensor({17.0f, 3.0f}).view({2, 1}));
  EXPECT_TRUE(features.equal(expected)) << features;
}

TEST_F(FeatureCacheTest, IsComputedOnce) {
  ImageSet images = Images();
  ASSERT_TRUE(Build(images, Network()).ok());
  EXPECT_EQ(reads_, 40);
  ASSERT_TRUE(Build(images, Network()).ok());
  EXPECT_EQ(reads_, 40);
}

TEST_F(FeatureCacheTest, DrawsAViewOfEachImage) {
  ImageSet images = Images();
  FeatureCache::Network network = Network();
  network.views = 3;
  const auto cache = Build(images, network);
  ASSERT_TRUE(cache.ok()) << cache.status();
  EXPECT_EQ(reads_, 120);
  const auto first = [](const torch::Tensor& features) {
    return features.select(2, 0).select(1, 0);
  };
  const std::vector<int64_t> images_of_batch(60, 17);
  EXPECT_TRUE(first(cache->Read(images_of_batch)).eq(17).all().item<bool>());
  const torch::Tensor drawn = first(cache->Read(images_of_batch, 5));
  for (const double value : {17, 117, 217}) {
    EXPECT_GT(drawn.eq(value).sum().item<int64_t>(), 8) << value;
  }
  EXPECT_TRUE(drawn.equal(first(cache->Read(images_of_batch, 5))));
  EXPECT_FALSE(drawn.equal(first(cache->Read(images_of_batch, 6))));
  ASSERT_TRUE(Build(images, network).ok());
  EXPECT_EQ(reads_, 120);
  ASSERT_TRUE(Build(images, Network()).ok()) << "fewer views";
  EXPECT_EQ(reads_, 160);
}

TEST_F(FeatureCacheTest, NoImageWithAllItsViewsIsAnError) {
  ImageSet images = Images();
  FeatureCache::Network network = Network();
  network.views = 2;
  network.read = [](const std::string& path, int64_t view) -> absl::StatusOr<Array> {
    if (view > 0) return absl::NotFoundError(path);
    const Array number = Array::Empty(ArrayType::kFloat32, {1});
    *number.values<float>() = 1;
    return number;
  };
  EXPECT_TRUE(absl::IsInvalidArgument(Build(images, network).status()));
}

TEST_F(FeatureCacheTest, AnImageThatCannotBeReadIsNamedOnceAndLeftOutWithItsViews) {
  folder_.Write("image-17", "bad");
  std::string log;
  SetLogSink([&](LogLevel, absl::string_view message) { absl::StrAppend(&log, message, "\n"); });
  ImageSet images = Images();
  FeatureCache::Network network = Network();
  network.views = 3;
  const auto cache = Build(images, network);
  SetLogSink(nullptr);
  ASSERT_TRUE(cache.ok()) << cache.status();
  EXPECT_EQ(log, (folder_ / "image-17") + ": is bad; left out\n");
  EXPECT_EQ(images.Find("image-17"), std::nullopt);
  EXPECT_EQ(images.Find("image-16"), std::optional<int32_t>(16));
  EXPECT_EQ(cache->Read({18})[0][0][0].item<double>(), 18);
}

TEST_F(FeatureCacheTest, IsComputedAgainForAnotherNetworkOrAnotherImage) {
  ImageSet images = Images();
  ASSERT_TRUE(Build(images, Network()).ok());
  FeatureCache::Network other = Network();
  other.fingerprint = 8;
  ASSERT_TRUE(Build(images, other).ok());
  EXPECT_EQ(reads_, 80);
  folder_.Write("image-05", "5.25");
  const auto cache = Build(images, other);
  ASSERT_TRUE(cache.ok()) << cache.status();
  EXPECT_EQ(cache->Read({5})[0][0][0].item<double>(), 5.25);
}

TEST_F(FeatureCacheTest, DropsWhatCannotBeReadAndKeepsTheRestInPlace) {
  for (const char* name : {"image-00", "image-17", "image-39"}) folder_.Write(name, "bad");
  std::filesystem::remove(folder_ / "image-20");
  for (int time = 0; time < 2; ++time) {  // Computed, then found.
    ImageSet images = Images();
    const auto cache = Build(images, Network());
    ASSERT_TRUE(cache.ok()) << cache.status();
    for (const char* name : {"image-00", "image-17", "image-39", "image-20"}) {
      EXPECT_EQ(images.Find(name), std::nullopt) << name;
    }
    EXPECT_EQ(images.Find("image-18"), std::optional<int32_t>(18));
    EXPECT_EQ(cache->Read({18})[0][0][0].item<double>(), 18);
    EXPECT_EQ(cache->Read({38})[0][0][0].item<double>(), 38);
  }
}

TEST_F(FeatureCacheTest, DamagedCacheIsComputedAgain) {
  ImageSet images = Images();
  ASSERT_TRUE(Build(images, Network()).ok());
  std::filesystem::resize_file(tables_ / "cache", 100);
  const auto cache = Build(images, Network());
  ASSERT_TRUE(cache.ok()) << cache.status();
  EXPECT_EQ(cache->Read({30})[0][0][0].item<double>(), 30);
}

TEST_F(FeatureCacheTest, FeaturesThatHalfPrecisionDoesNotHoldAreNamedAndLeftOut) {
  for (const char* number : {"70000", "-100000", "inf", "-nan"}) {
    folder_.Write("image-17", number);
    std::string log;
    SetLogSink([&](LogLevel, absl::string_view message) { absl::StrAppend(&log, message, "\n"); });
    ImageSet images = Images();
    const auto cache = Build(images, Network());
    SetLogSink(nullptr);
    ASSERT_TRUE(cache.ok()) << cache.status();
    EXPECT_EQ(images.Find("image-17"), std::nullopt) << number;
    EXPECT_THAT(log, HasSubstr((folder_ / "image-17") + ": has features up to "));
    EXPECT_EQ(cache->Read({18})[0][0][0].item<double>(), 18);
  }
}

TEST_F(FeatureCacheTest, MadeUpSizesAreNoCache) {
  ImageSet images = Images();
  ASSERT_TRUE(Build(images, Network()).ok());
  const std::string whole = tables_.Read("cache");
  // 2^31 x 2^31 x 8 features, whose bytes are 0 of 64 bits; and fewer than none.
  const std::array<int64_t, 3> made_up[] = {{8, int64_t{1} << 31, int64_t{1} << 31}, {40, -2, -3}};
  for (const std::array<int64_t, 3>& sizes : made_up) {
    std::string changed = whole.substr(0, 40);
    std::memcpy(changed.data() + 16, sizes.data(), sizeof sizes);
    tables_.Write("cache",
                  sizes[0] == 8 ? changed + std::string(8, '\1') : changed + whole.substr(40));
    reads_ = 0;
    ASSERT_TRUE(Build(images, Network()).ok());
    EXPECT_EQ(reads_, 40);
  }
}

TEST_F(FeatureCacheTest, NoImageThatCanBeReadIsAnError) {
  ImageSet images = Images();
  FeatureCache::Network network = Network();
  network.read = [](const std::string& path, int64_t) { return absl::NotFoundError(path); };
  EXPECT_TRUE(absl::IsInvalidArgument(Build(images, network).status()));
}

TEST_F(FeatureCacheTest, TablesAndFoldersThatAreWrongAreNamed) {
  const auto no_tab = ImageSet::Open(folder_.path(), {tables_.Write("wrong", "a\tb\nno tab\n")});
  EXPECT_TRUE(absl::IsInvalidArgument(no_tab.status()));
  EXPECT_THAT(std::string(no_tab.status().message()), HasSubstr("wrong:2: "));
  const auto no_folder = ImageSet::Open(folder_ / "none", {table_});
  EXPECT_THAT(std::string(no_folder.status().message()), HasSubstr(folder_ / "none"));
}

TEST_F(FeatureCacheTest, UnreadableImagesAreDroppedWithoutACacheToo) {
  folder_.Write("image-11", "bad");
  ImageSet images = Images();
  const FeatureCache::Network network = Network();
  images.DropUnreadable([](const std::string& path) {
    return *ReadFile(path) == "bad" ? absl::InvalidArgumentError(path) : absl::OkStatus();
  });
  EXPECT_EQ(images.dropped(), 1);
  EXPECT_EQ(images.Find("image-11"), std::nullopt);
  EXPECT_EQ(images.Find("image-12"), std::optional<int32_t>(12));
}

TEST_F(FeatureCacheTest, ImagesThatThrowAreDroppedToo) {
  ImageSet images = Images();
  images.DropUnreadable([](const std::string& path) {
    if (path.back() == '3') throw std::bad_alloc();
    return absl::OkStatus();
  });
  EXPECT_EQ(images.dropped(), 4);
  EXPECT_EQ(images.Find("image-13"), std::nullopt);
}

}  // namespace
}  // namespace seq2seq
