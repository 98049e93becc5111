#include "seq2seq/base/png.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include <zlib.h>

namespace seq2seq {
namespace {

std::string BigEndian(uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  return bytes;
}

// Length, type and data, and the checksum of the latter two.
std::string Chunk(absl::string_view type, absl::string_view data) {
  const std::string body = absl::StrCat(type, data);
  const uLong sum =
      crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return absl::StrCat(BigEndian(static_cast<uint32_t>(data.size())), body,
                      BigEndian(static_cast<uint32_t>(sum)));
}

std::string Compress(absl::string_view bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string compressed(size, '\0');
  compress(reinterpret_cast<Bytef*>(compressed.data()), &size,
           reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(bytes.size()));
  compressed.resize(size);
  return compressed;
}

}  // namespace

std::string EncodeGreyPng(absl::string_view pixels, size_t height, size_t width) {
  constexpr absl::string_view kSignature("\x89PNG\r\n\x1a\n", 8);
  // 8 bits of grey, compressed, filtered by row, not interlaced.
  constexpr absl::string_view kFormat("\x08\x00\x00\x00\x00", 5);
  std::string rows;
  for (size_t row = 0; row < height; ++row)
    absl::StrAppend(&rows, absl::string_view("\0", 1), pixels.substr(row * width, width));
  return absl::StrCat(
      kSignature,
      Chunk("IHDR", absl::StrCat(BigEndian(static_cast<uint32_t>(width)),
                                 BigEndian(static_cast<uint32_t>(height)), kFormat)),
      Chunk("IDAT", Compress(rows)), Chunk("IEND", ""));
}

}  // namespace seq2seq
