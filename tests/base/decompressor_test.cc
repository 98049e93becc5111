#include "seq2seq/base/decompressor.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

std::string Gzip(const std::string& text) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string bytes(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

std::string Zstd(const std::string& text) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string bytes(ZSTD_compressBound(text.size()), '\0');
  bytes.resize(ZSTD_compress2(context, bytes.data(), bytes.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return bytes;
}

std::string Xz(const std::string& text) {
  std::string bytes(lzma_stream_buffer_bound(text.size()), '\0');
  size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr,
                                    reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                                    reinterpret_cast<uint8_t*>(bytes.data()), &size, bytes.size()),
            LZMA_OK);
  bytes.resize(size);
  return bytes;
}

// What `bytes` decompress to, in parts of these sizes.
absl::StatusOr<std::string> Decompress(const std::string& bytes, size_t in_size = 1000,
                                       size_t out_size = 1000) {
  auto decompressor = MakeDecompressor(CompressionOf(bytes));
  EXPECT_TRUE(decompressor.ok() && *decompressor != nullptr);
  std::string text;
  std::vector<char> out(out_size);
  absl::string_view rest = bytes;
  absl::string_view in;
  bool ended = false;
  while (true) {
    if (in.empty()) {
      in = rest.substr(0, in_size);
      rest.remove_prefix(in.size());
      ended = in.empty();
    }
    const auto size = (*decompressor)->Decompress(in, ended, absl::MakeSpan(out));
    if (!size.ok()) return size.status();
    text.append(out.data(), *size);
    if (*size == 0 && in.empty() && ended) return text;
  }
}

// The same, or the error.
std::string Decompressed(const std::string& bytes, size_t in_size = 1000, size_t out_size = 1000) {
  const absl::StatusOr<std::string> text = Decompress(bytes, in_size, out_size);
  return text.ok() ? *text : text.status().ToString();
}

// Lines that are unlike each other, so that they hardly compress.
std::string Text(int lines) {
  std::string text;
  uint64_t value = 1;
  for (int i = 0; i < lines; ++i) {
    value = value * 6364136223846793005 + 1442695040888963407;
    absl::StrAppend(&text, value, "\n");
  }
  return text;
}

class DecompressorTest : public ::testing::TestWithParam<Compression> {
 protected:
  static std::string Compress(const std::string& text) {
    switch (GetParam()) {
      case Compression::kNone:
        return text;
      case Compression::kGzip:
        return Gzip(text);
      case Compression::kZstd:
        return Zstd(text);
      case Compression::kXz:
        return Xz(text);
    }
    return "";
  }
};

TEST_P(DecompressorTest, PartsOfAnySizeAreTheText) {
  const std::string text = Text(3000);
  const std::string bytes = Compress(text);
  EXPECT_EQ(CompressionOf(bytes), GetParam());
  for (const size_t in : {size_t{1}, size_t{7}, size_t{1000}, bytes.size()}) {
    for (const size_t out : {size_t{1}, size_t{1000}, text.size() + 1})
      EXPECT_TRUE(Decompressed(bytes, in, out) == text) << in << " " << out;
  }
}

TEST_P(DecompressorTest, NothingIsAText) {
  EXPECT_EQ(Decompressed(Compress("")), "");
  EXPECT_EQ(Decompressed(Compress("") + Compress("ein\n") + Compress("")), "ein\n");
}

TEST_P(DecompressorTest, StreamsThatFollowEachOtherAreOneText) {
  const std::string text = Text(500);
  const std::string bytes = Compress(text);
  for (const size_t in : {size_t{1}, bytes.size(), 3 * bytes.size()}) {
    EXPECT_TRUE(Decompressed(bytes + bytes + Compress("ein\n"), in) == text + text + "ein\n") << in;
  }
}

TEST_P(DecompressorTest, TruncatedDataAreDataLoss) {
  const std::string bytes = Compress("ein\nzwei\ndrei\n");
  for (const std::string& before : {std::string(), bytes}) {
    for (size_t size = before.empty() ? kMagicBytes : 2; size < bytes.size(); ++size) {
      const absl::Status status = Decompress(before + bytes.substr(0, size)).status();
      EXPECT_TRUE(absl::IsDataLoss(status)) << size << ": " << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr("unexpected end of "));
    }
  }
}

TEST_P(DecompressorTest, CorruptDataAreDataLoss) {
  const std::string text = Text(300);
  const std::string bytes = Compress(text);
  for (size_t place = bytes.size() / 4; place < bytes.size(); place += bytes.size() / 4) {
    std::string damaged = bytes;
    damaged[place] ^= 0x10;
    const absl::Status status = Decompress(damaged).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << place << ": " << status;
    EXPECT_FALSE(status.message().empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, DecompressorTest,
                         ::testing::Values(Compression::kGzip, Compression::kZstd,
                                           Compression::kXz));

TEST(Decompressor, GzipMayEndWithZeros) {
  EXPECT_EQ(Decompressed(Gzip("ein\n") + std::string(5000, '\0')), "ein\n");
  EXPECT_EQ(Decompressed(Gzip("ein\n") + std::string(5000, '\0'), 1), "ein\n");
}

TEST(Decompressor, FramesOfZstdToSkipAreSkipped) {
  const std::string skipped("\x53\x2a\x4d\x18\x03\0\0\0abc", 11);
  EXPECT_EQ(Decompressed(skipped + Zstd("ein\n") + skipped + Zstd("zwei\n")), "ein\nzwei\n");
}

TEST(Decompressor, MemoryIsLimited) {
  // Frames of no text, with windows of 128 and 256 MiB.
  EXPECT_EQ(Decompressed(std::string("\x28\xb5\x2f\xfd\x00\x88\x01\0\0", 9)), "");
  const absl::Status zstd = Decompress(std::string("\x28\xb5\x2f\xfd\x00\x90\x01\0\0", 9)).status();
  EXPECT_TRUE(absl::IsResourceExhausted(zstd)) << zstd;
  EXPECT_EQ(zstd.message(), "decompressing this zstd data needs more than 160 MiB of memory");

  lzma_options_lzma options;
  ASSERT_FALSE(lzma_lzma_preset(&options, 0));
  for (const uint32_t dictionary : {128u << 20, 256u << 20}) {
    options.dict_size = dictionary;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
    std::string bytes(1000, '\0');
    size_t size = 0;
    ASSERT_EQ(lzma_stream_buffer_encode(
                  filters, LZMA_CHECK_CRC32, nullptr, reinterpret_cast<const uint8_t*>("ein"), 3,
                  reinterpret_cast<uint8_t*>(bytes.data()), &size, bytes.size()),
              LZMA_OK);
    const auto text = Decompress(bytes.substr(0, size));
    EXPECT_EQ(text.ok(), dictionary == 128u << 20) << text.status();
    EXPECT_EQ(absl::IsResourceExhausted(text.status()), !text.ok()) << text.status();
  }
}

TEST(Decompressor, TextIsNotCompressed) {
  for (const char* text : {"", "P", "ein\n", "PK\x03\x04", "\x1f",
                           "\xfd"
                           "7zXZ"})
    EXPECT_EQ(CompressionOf(text), Compression::kNone) << text;
  EXPECT_EQ(*MakeDecompressor(Compression::kNone), nullptr);
}

}  // namespace
}  // namespace seq2seq
