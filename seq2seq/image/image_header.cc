#include "seq2seq/image/image_header.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace seq2seq {
namespace {

enum class ByteOrder { kLittle, kBig };

// An integer of `size` bytes at `place`; nullopt past the end.
std::optional<uint32_t> Number(absl::string_view bytes, size_t place, size_t size,
                               ByteOrder order) {
  if (place > bytes.size() || size > bytes.size() - place) return std::nullopt;
  uint32_t number = 0;
  for (size_t i = 0; i < size; ++i) {
    const size_t at = order == ByteOrder::kBig ? place + i : place + size - 1 - i;
    number = number << 8 | static_cast<unsigned char>(bytes[at]);
  }
  return number;
}

// Numbers past the end count as 0, which is no valid size.
ImageHeader Header(std::optional<uint32_t> height, std::optional<uint32_t> width) {
  return {height.value_or(0), width.value_or(0)};
}

// The functions below return nullopt if the file is cut off or damaged.

// Walks the segments. An end marker within one, as that of an embedded thumbnail, does not count.
// Between segments lies compressed data, in which 0xff is followed by 0.
std::optional<ImageHeader> ReadJpeg(absl::string_view bytes) {
  ImageHeader header;
  for (size_t place = 0; (place = bytes.find('\xff', place)) < bytes.size() - 1;) {
    const auto marker = static_cast<unsigned char>(bytes[++place]);
    if (marker == 0xff) continue;  // Fill byte.
    ++place;
    if (marker == 0xd9) return header;
    const bool alone = marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    if (alone) continue;
    const std::optional<uint32_t> length = Number(bytes, place, 2, ByteOrder::kBig);
    if (!length || *length < 2) return std::nullopt;
    const bool is_frame =
        marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (is_frame) {
      const ImageHeader frame = Header(Number(bytes, place + 3, 2, ByteOrder::kBig),
                                       Number(bytes, place + 5, 2, ByteOrder::kBig));
      if (frame.pixels() > header.pixels()) header = frame;
    }
    place += *length;
  }
  return std::nullopt;
}

std::optional<ImageHeader> ReadPng(absl::string_view bytes) {
  // Chunks: length, name, contents, checksum.
  for (uint64_t place = 8; place + 8 <= bytes.size();) {
    if (bytes.substr(place + 4, 4) == "IEND") {
      return Header(Number(bytes, 20, 4, ByteOrder::kBig), Number(bytes, 16, 4, ByteOrder::kBig));
    }
    place += 12 + uint64_t{*Number(bytes, place, 4, ByteOrder::kBig)};
  }
  return std::nullopt;
}

std::optional<ImageHeader> ReadWebp(absl::string_view bytes) {
  const auto number = [&](size_t place, size_t size) {
    return Number(bytes, place, size, ByteOrder::kLittle).value_or(0);
  };
  if (uint64_t{number(4, 4)} + 8 > bytes.size()) return std::nullopt;
  const absl::string_view kind = bytes.substr(12, 4);
  if (kind == "VP8 ") return ImageHeader{number(28, 2) & 0x3fff, number(26, 2) & 0x3fff};
  if (kind == "VP8X") return ImageHeader{number(27, 3) + 1, number(24, 3) + 1};
  if (kind != "VP8L") return ImageHeader();
  const uint32_t sizes = number(21, 4);
  return ImageHeader{(sizes >> 14 & 0x3fff) + 1, (sizes & 0x3fff) + 1};
}

ImageHeader ReadBmp(absl::string_view bytes) {
  const auto number = [&](size_t place, size_t size) {
    return Number(bytes, place, size, ByteOrder::kLittle).value_or(0);
  };
  if (number(14, 4) == 12) return {number(20, 2), number(18, 2)};
  const uint32_t height = number(22, 4);  // Negative if the first row is at the top.
  return {height > 0x7fffffff ? ~height + 1 : height, number(18, 4)};
}

ImageHeader ReadTiff(absl::string_view bytes) {
  const ByteOrder order = bytes[0] == 'I' ? ByteOrder::kLittle : ByteOrder::kBig;
  const auto number = [&](size_t place, size_t size) {
    return Number(bytes, place, size, order).value_or(0);
  };
  constexpr uint32_t kWidth = 256, kHeight = 257;
  constexpr uint32_t kShort = 3;
  ImageHeader header;
  const size_t directory = number(4, 4);
  for (size_t i = 0; i < number(directory, 2); ++i) {
    const size_t entry = directory + 2 + 12 * i;  // tag, type, count, value
    const uint32_t tag = number(entry, 2);
    const uint32_t value = number(entry + 8, number(entry + 2, 2) == kShort ? 2 : 4);
    if (tag == kWidth) header.width = std::max(header.width, value);
    if (tag == kHeight) header.height = std::max(header.height, value);
  }
  return header;
}

ImageHeader ReadPnm(absl::string_view bytes) {
  bytes.remove_prefix(2);
  const auto next = [&bytes] {
    while (!bytes.empty() && (bytes[0] == '#' || absl::ascii_isspace(bytes[0])))
      bytes.remove_prefix(bytes[0] == '#' ? std::min(bytes.find('\n'), bytes.size()) : 1);
    uint64_t number = 0;
    for (; !bytes.empty() && absl::ascii_isdigit(bytes[0]); bytes.remove_prefix(1))
      number = std::min<uint64_t>(10 * number + static_cast<uint64_t>(bytes[0] - '0'), UINT32_MAX);
    return static_cast<uint32_t>(number);
  };
  const uint32_t width = next();
  return {next(), width};
}

std::optional<ImageHeader> ReadAny(absl::string_view bytes) {
  const auto begins = [&](absl::string_view with) { return absl::StartsWith(bytes, with); };
  if (begins("\xff\xd8")) return ReadJpeg(bytes);
  if (begins("\x89PNG")) return ReadPng(bytes);
  if (begins("RIFF") && absl::StartsWith(bytes.substr(std::min<size_t>(8, bytes.size())), "WEBP"))
    return ReadWebp(bytes);
  if (begins("BM")) return ReadBmp(bytes);
  if (begins(absl::string_view("II*\0", 4)) || begins(absl::string_view("MM\0*", 4)))
    return ReadTiff(bytes);
  if (bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6')
    return ReadPnm(bytes);
  return ImageHeader();
}

}  // namespace

absl::StatusOr<ImageHeader> ReadImageHeader(absl::string_view contents) {
  if (contents.empty()) return absl::InvalidArgumentError("is empty");
  const std::optional<ImageHeader> header = ReadAny(contents);
  if (!header) return absl::InvalidArgumentError("ends in the middle of an image");
  if (header->pixels() == 0) {
    return absl::InvalidArgumentError(
        "is not an image of a supported format: JPEG, PNG, WebP, BMP, TIFF or PNM");
  }
  return *header;
}

}  // namespace seq2seq
