#include "seq2seq/image/image_header.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "tests/testing/image_files.h"

namespace seq2seq {
namespace {

std::string Bmp(const std::string& sizes) {
  return "BM" + std::string(12, '\0') + FromHex("28000000") + FromHex(sizes);
}

TEST(ReadImageHeader, FindsTheSizeInEveryFormat) {
  const std::pair<const char*, std::string> files[] = {
      {"JPEG", JpegFile()},
      {"PNG", PngFile()},
      {"WebP, lossless", WebpFile()},
      {"WebP, lossy", "RIFF" + FromHex("16000000") + "WEBPVP8 " +
                          FromHex("0a000000"
                                  "300100"
                                  "9d012a"
                                  "0840"
                                  "0680")},
      {"WebP, extended", "RIFF" + FromHex("16000000") + "WEBPVP8X" +
                             FromHex("0a000000"
                                     "10000000"
                                     "070000"
                                     "050000")},
      {"BMP", Bmp("0800000006000000")},
      {"BMP from the top", Bmp("08000000faffffff")},
      {"BMP of OS/2", "BM" + std::string(12, '\0') +
                          FromHex("0c000000"
                                  "0800"
                                  "0600")},
      {"TIFF, little-endian", FromHex("49492a0008000000"
                                      "0200"
                                      "000103000100000008000000"
                                      "010104000100000006000000")},
      {"TIFF, big-endian", FromHex("4d4d002a00000008"
                                   "0002"
                                   "010000030000000100080000"
                                   "010100040000000100000006")},
      {"PPM", PpmFile(6, 8, 0, 0, 0)},
      {"PBM with comments", "P4#a\n# b\n 8\t# 9\n6\n"},
  };
  for (const auto& [format, bytes] : files) {
    const auto header = ReadImageHeader(bytes);
    ASSERT_TRUE(header.ok()) << format << ": " << header.status();
    EXPECT_EQ(header->width, 8u) << format;
    EXPECT_EQ(header->height, 6u) << format;
  }
}

TEST(ReadImageHeader, FilesCutAnywhereAreRefused) {
  for (const std::string& whole : {JpegFile(), PngFile(), WebpFile()}) {
    for (size_t size = 0; size + 4 < whole.size(); ++size) {  // PNG's last checksum may be missing.
      EXPECT_TRUE(absl::IsInvalidArgument(ReadImageHeader(whole.substr(0, size)).status())) << size;
    }
  }
}

// As cameras write them: a segment that holds a whole JPEG.
TEST(ReadImageHeader, TheEndOfAThumbnailIsNotTheEndOfAJpeg) {
  const std::string thumbnail = JpegFile(), plain = JpegFile();
  const size_t length = thumbnail.size() + 2;
  const std::string segment = std::string("\xff\xe1") + static_cast<char>(length / 256) +
                              static_cast<char>(length % 256) + thumbnail;
  const std::string whole = plain.substr(0, 2) + segment + plain.substr(2);
  EXPECT_TRUE(ReadImageHeader(whole).ok());
  EXPECT_TRUE(ReadImageHeader(whole + "and something behind it").ok());
  const absl::Status cut = ReadImageHeader(whole.substr(0, whole.size() - 20)).status();
  EXPECT_EQ(cut.message(), "ends in the middle of an image");
}

TEST(ReadImageHeader, TheLargestFrameOfAJpegCounts) {
  std::string bytes = JpegFile();
  const std::string frame = bytes.substr(bytes.find("\xff\xc0"), 19);
  std::string large = frame;
  large.replace(5, 4, FromHex("ffffffff"));
  bytes.insert(bytes.find(frame), large);
  const auto header = ReadImageHeader(bytes);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->pixels(), 65535u * 65535u);
}

TEST(ReadImageHeader, OtherFilesAndNoSizeAreRefused) {
  const std::string wrong[] = {"no image",
                               "P",
                               "P6",
                               "Pf\n8 6\n-1.0\n",
                               "#?RADIANCE",
                               FromHex("762f3101"),
                               "BM",
                               Bmp("0000000006000000"),
                               FromHex("49492a00ffffffff"),
                               "RIFF" + FromHex("04000000") + "WEBP",
                               PpmFile(0, 8, 0, 0, 0)};
  for (const std::string& bytes : wrong) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReadImageHeader(bytes).status())) << bytes;
  }
}

}  // namespace
}  // namespace seq2seq
