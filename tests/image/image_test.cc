#include "seq2seq/image/image.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/testing/image_files.h"
#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Values as they are in the file, from 0 to 1.
ImageOptions Plain(int64_t size) {
  return {.size = size, .mean = {0, 0, 0}, .deviation = {1, 1, 1}};
}

class ImageTest : public ::testing::Test {
 protected:
  void SetUp() override {
#if !SEQ2SEQ_IMAGES
    GTEST_SKIP() << "built without images";
#endif
  }

  Array Read(const std::string& bytes, const ImageOptions& options,
             const std::optional<Augmentation>& augmentation = {}) const {
    const auto image = ReadImage(folder_.Write("image", bytes), options, augmentation);
    EXPECT_TRUE(image.ok()) << image.status();
    return image.ok() ? *image : Array::Empty(ArrayType::kFloat32, {3, options.size, options.size});
  }

  static double Value(const Array& image, int64_t channel, int64_t row, int64_t column) {
    return image.values<float>()[(channel * image.shape[1] + row) * image.shape[2] + column];
  }

  static std::vector<float> Values(const Array& image) {
    return {image.values<float>(), image.values<float>() + image.size()};
  }

  static std::vector<double> Color(const Array& image, int64_t row, int64_t column) {
    std::vector<double> color;
    for (int64_t channel = 0; channel < 3; ++channel) {
      color.push_back(Value(image, channel, row, column));
    }
    return color;
  }

  static void ExpectColor(const Array& image, int64_t row, int64_t column,
                          const std::vector<double>& expected) {
    const std::vector<double> color = Color(image, row, column);
    for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(color[i], expected[i], 0.03);
  }

  const TemporaryFolder folder_;
};

TEST_F(ImageTest, ReadsJpegPngAndWebp) {
  for (const std::string& bytes : {JpegFile(), PngFile(), WebpFile()}) {
    const Array image = Read(bytes, Plain(8));
    ASSERT_THAT(image.shape, ElementsAre(3, 8, 8));
    ExpectColor(image, 3, 0, {1, 0, 0});
  }
  ExpectColor(Read(JpegFile(), Plain(8)), 3, 7, {0, 0, 1});
  ExpectColor(Read(WebpFile(), Plain(8)), 3, 7, {0, 0, 1});
}

TEST_F(ImageTest, TransparentPartsAreWhite) {
  ExpectColor(Read(PngFile(), Plain(8)), 3, 7, {1, 1, 1});
}

TEST_F(ImageTest, CutsTheMiddleOutOfTheLongerSide) {
  // Of 8 x 6 pixels the outer columns fall away, and the middle stays where it is.
  const Array image = Read(WebpFile(), Plain(12));
  ExpectColor(image, 0, 4, {1, 0, 0});
  ExpectColor(image, 0, 7, {0, 0, 1});
}

TEST_F(ImageTest, ResizesBeforeItCuts) {
  std::string bytes = PpmFile(40, 40, 0, 0, 0);
  for (size_t i = bytes.size() - 40 * 3; i < bytes.size(); ++i) bytes[i] = '\xff';  // Last row.
  EXPECT_GT(Value(Read(bytes, Plain(10)), 0, 9, 5), 0.2);
  ImageOptions inner = Plain(10);
  inner.resize = 20;
  EXPECT_EQ(Value(Read(bytes, inner), 0, 9, 5), 0);
}

TEST_F(ImageTest, NormalisesAsConfigured) {
  const ImageOptions options = {.size = 8, .mean = {0.5, 0.25, 0}, .deviation = {0.5, 0.25, 2}};
  ExpectColor(Read(PpmFile(8, 8, 255, 0, 255), options), 2, 2, {1, -1, 0.5});
}

TEST_F(ImageTest, FlipsHalfOfTheImages) {
  int flipped = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const Array image = Read(WebpFile(), Plain(8), {{{.flip = true}, seed}});
    flipped += Color(image, 0, 0)[2] > 0.5 ? 1 : 0;
  }
  EXPECT_GT(flipped, 8);
  EXPECT_LT(flipped, 32);
}

TEST_F(ImageTest, CropsAndJittersAreAFunctionOfTheSeed) {
  const AugmentOptions augment = {.crop = 0.5, .jitter = 0.3};
  const std::vector<float> once = Values(Read(WebpFile(), Plain(8), {{augment, 1}}));
  EXPECT_EQ(once, Values(Read(WebpFile(), Plain(8), {{augment, 1}})));
  EXPECT_NE(once, Values(Read(WebpFile(), Plain(8), {{augment, 2}})));
}

TEST_F(ImageTest, DamagedFilesAreErrorsThatNameThem) {
  const std::string whole[] = {JpegFile(), PngFile()};
  std::vector<std::string> damaged = {"", "no image at all", std::string(100, '\0')};
  for (const std::string& bytes : whole) damaged.push_back(bytes.substr(0, bytes.size() / 2));
  for (const std::string& bytes : damaged) {
    const std::string path = folder_.Write("damaged", bytes);
    const auto image = ReadImage(path, Plain(8));
    EXPECT_TRUE(absl::IsInvalidArgument(image.status())) << image.status();
    EXPECT_THAT(std::string(image.status().message()), StartsWith(path + ": "));
  }
}

// A PNG file of a few bytes that stands for any number of pixels.
std::string PngOf(const std::string& width, const std::string& height) {
  std::string bytes = PngFile();
  return bytes.replace(16, 8, FromHex(width + height));
}

TEST_F(ImageTest, TooManyPixelsAreRefusedBeforeTheyAreDecoded) {
  const std::string path = folder_.Write("large.png", PngOf("00008000", "00008000"));
  const auto image = ReadImage(path, Plain(8));
  EXPECT_TRUE(absl::IsInvalidArgument(image.status()));
  EXPECT_EQ(image.status().message(),
            path + ": has 32768 x 32768 pixels; at most 100000000 are decoded");
  const std::string small = folder_.Write("small.png", PngFile());
  EXPECT_TRUE(ReadImage(small, Plain(8), {}, 48).ok());
  EXPECT_FALSE(ReadImage(small, Plain(8), {}, 47).ok());
}

// A TIFF file of one pixel of one channel.
std::string TiffFile(const std::string& bits, const std::string& format, const std::string& value) {
  const auto entry = [](const std::string& tag, const std::string& entry_value) {
    return tag + "0300" + "01000000" + entry_value + "0000";
  };
  const std::string bytes =
      "49492a0008000000"
      "0a00" +
      entry("0001", "0100") + entry("0101", "0100") + entry("0201", bits) + entry("0301", "0100") +
      entry("0601", "0100") + entry("1101", "8600") + entry("1501", "0100") +
      entry("1601", "0100") + entry("1701", "0800") + entry("5301", format) + "00000000" + value;
  return FromHex(bytes);
}

TEST_F(ImageTest, OnlyWholeNumbersOf8Or16BitsAreRead) {
  ExpectColor(Read(TiffFile("0800", "0100", "8080808080808080"), Plain(8)), 3, 3, {0.5, 0.5, 0.5});
  ExpectColor(Read(TiffFile("1000", "0100", "0080008000800080"), Plain(8)), 3, 3, {0.5, 0.5, 0.5});
  // 0.5 as a float of 32 and of 64 bits.
  for (const auto& [bits, value] :
       {std::pair("2000", "0000003f0000003f"), std::pair("4000", "000000000000e03f")}) {
    const std::string path = folder_.Write("floats.tif", TiffFile(bits, "0300", value));
    const auto image = ReadImage(path, Plain(8));
    EXPECT_TRUE(absl::IsInvalidArgument(image.status())) << image.status();
    EXPECT_THAT(std::string(image.status().message()),
                AllOf(StartsWith(path + ": "), HasSubstr("8 or 16 bits")));
  }
}

TEST_F(ImageTest, CropsOfOnePixelLieWithinTheImage) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const AugmentOptions augment = {.crop = 0.9};
    const Array image = Read(PpmFile(1, 30, 255, 255, 255), Plain(8), {{augment, seed}});
    EXPECT_THAT(Values(image), Each(1)) << seed;
  }
}

TEST_F(ImageTest, MissingFileIsAnErrorThatNamesIt) {
  const auto image = ReadImage(folder_ / "none.jpg", Plain(8));
  EXPECT_TRUE(absl::IsNotFound(image.status())) << image.status();
  EXPECT_THAT(std::string(image.status().message()), HasSubstr(folder_ / "none.jpg"));
}

TEST(ValidateImage, NamesTheKeyAndItsValue) {
  EXPECT_TRUE(Validate(ImageOptions(), "input").ok());
  EXPECT_EQ(Validate(ImageOptions{.size = 0}, "input").message(),
            "input.size: expected 8 to 4,096, found 0");
  EXPECT_EQ(Validate(ImageOptions{.mean = {1}}, "input").message(),
            "input.mean: expected 3 numbers, found 1");
  EXPECT_EQ(Validate(AugmentOptions{.crop = 1}, "augment").message(),
            "augment.crop: expected 0 or more and less than 1, found 1");
}

}  // namespace
}  // namespace seq2seq
