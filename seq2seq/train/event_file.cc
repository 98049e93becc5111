#include "seq2seq/train/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "seq2seq/base/file.h"
#include "seq2seq/base/file_system.h"
#include "seq2seq/base/png.h"
#include "seq2seq/base/status_macros.h"
#include "seq2seq/base/utf8.h"

namespace seq2seq {
namespace {

// Numbers in little-endian order, as this code assumes of the processor everywhere.
template <typename Number>
std::string Fixed(Number number) {
  std::string bytes(sizeof(number), '\0');
  std::memcpy(bytes.data(), &number, sizeof(number));
  return bytes;
}

uint32_t MaskedCrc(absl::string_view bytes) {
  const uint32_t crc = Crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

// ---- Encoding of protocol buffers: a key, field number and wire type, before each value.

enum class Wire : uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7f) | 0x80);
  return bytes + static_cast<char>(value);
}

std::string Key(uint64_t field, Wire wire) {
  return Varint(field << 3 | static_cast<uint64_t>(wire));
}

std::string Integer(uint64_t field, int64_t value) {
  return Key(field, Wire::kVarint) + Varint(static_cast<uint64_t>(value));
}

std::string Double(uint64_t field, double value) {
  return Key(field, Wire::kFixed64) + Fixed(value);
}

std::string Float(uint64_t field, double value) {
  return Key(field, Wire::kFixed32) + Fixed(static_cast<float>(value));
}

std::string Bytes(uint64_t field, absl::string_view bytes) {
  return absl::StrCat(Key(field, Wire::kBytes), Varint(bytes.size()), bytes);
}

std::string Doubles(uint64_t field, const std::vector<double>& values) {
  std::string packed;
  for (const double value : values) packed += Fixed(value);
  return Bytes(field, packed);
}

// ---- Fields of the messages.

namespace event_field {
constexpr uint64_t kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
constexpr uint64_t kSessionStatus = 1;
constexpr int64_t kSessionStart = 1;
}  // namespace event_field

namespace value_field {
constexpr uint64_t kTag = 1, kSimple = 2, kImage = 4, kHistogram = 5, kTensor = 8, kMetadata = 9;
}  // namespace value_field

std::string Event(int64_t step, const std::string& rest) {
  const double now = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  return Record(
      absl::StrCat(Double(event_field::kWallTime, now), Integer(event_field::kStep, step), rest));
}

// A summary's field `value`.
std::string Value(absl::string_view tag, const std::string& rest) {
  return Bytes(1, Bytes(value_field::kTag, RepairUtf8(tag)) + rest);
}

// ---- Buckets of histograms: negative ones, in descending order of size, zero, positive ones.

constexpr double kLeast = 1e-12;
constexpr double kGrowth = 1.1;
constexpr int64_t kSteps = 775;  // Up to 1e20.
constexpr size_t kBuckets = 2 * kSteps + 1;

// The bucket of `value`: its upper limit is the first that is larger.
size_t BucketOf(double value) {
  const double size = std::abs(value);
  if (size < kLeast) return kSteps;
  const auto step = static_cast<int64_t>(std::floor(std::log(size / kLeast) / std::log(kGrowth)));
  const int64_t place = std::clamp<int64_t>(step + 1, 1, kSteps);
  return static_cast<size_t>(value > 0 ? kSteps + place : kSteps - place);
}

double UpperLimit(size_t bucket) {
  const auto place = static_cast<int64_t>(bucket) - kSteps;
  if (place >= 0) return kLeast * std::pow(kGrowth, static_cast<double>(place));
  return -kLeast * std::pow(kGrowth, static_cast<double>(-place - 1));
}

}  // namespace

uint32_t Crc32c(absl::string_view bytes) {
  static const std::array<uint32_t, 256> kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < table.size(); ++i) {
      uint32_t remainder = i;
      for (int bit = 0; bit < 8; ++bit)
        remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0x82f63b78 : 0);
      table[i] = remainder;
    }
    return table;
  }();
  uint32_t crc = ~uint32_t{0};
  for (const char byte : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xff];
  }
  return ~crc;
}

std::string Record(absl::string_view bytes) {
  const std::string length = Fixed(static_cast<uint64_t>(bytes.size()));
  return absl::StrCat(length, Fixed(MaskedCrc(length)), bytes, Fixed(MaskedCrc(bytes)));
}

void ValueHistogram::Add(const float* values, size_t count) {
  buckets_.resize(kBuckets);
  for (size_t i = 0; i < count; ++i) {
    const double value = values[i];
    if (!std::isfinite(value)) continue;
    min_ = count_ == 0 ? value : std::min(min_, value);
    max_ = count_ == 0 ? value : std::max(max_, value);
    count_ += 1;
    sum_ += value;
    sum_of_squares_ += value * value;
    buckets_[BucketOf(value)] += 1;
  }
}

std::string ValueHistogram::Message() const {
  std::vector<double> limits, counts;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    // A run of empty buckets keeps its upper limit, below which the next values begin.
    if (buckets_[i] == 0 && !counts.empty() && counts.back() == 0) {
      limits.back() = UpperLimit(i);
    } else {
      limits.push_back(UpperLimit(i));
      counts.push_back(buckets_[i]);
    }
  }
  return absl::StrCat(Double(1, min_), Double(2, max_), Double(3, count_), Double(4, sum_),
                      Double(5, sum_of_squares_), Doubles(6, limits), Doubles(7, counts));
}

void Summary::Scalar(absl::string_view tag, double value) {
  message_ += Value(tag, Float(value_field::kSimple, value));
}

void Summary::Histogram(absl::string_view tag, const ValueHistogram& histogram) {
  message_ += Value(tag, Bytes(value_field::kHistogram, histogram.Message()));
}

void Summary::Text(absl::string_view tag, absl::string_view text) {
  constexpr int64_t kString = 7;  // DataType DT_STRING.
  const std::string shape = Bytes(2, Bytes(2, Integer(1, 1)));
  const std::string tensor = Integer(1, kString) + shape + Bytes(8, RepairUtf8(text));
  const std::string plugin = Bytes(1, Bytes(1, "text"));
  message_ +=
      Value(tag, Bytes(value_field::kTensor, tensor) + Bytes(value_field::kMetadata, plugin));
}

void Summary::Image(absl::string_view tag, size_t height, size_t width,
                    const std::vector<float>& values) {
  std::string grey;
  for (const float value : values)
    grey += static_cast<char>(std::lround(255 * std::clamp(value, 0.0f, 1.0f)));
  const std::string image = absl::StrCat(Integer(1, static_cast<int64_t>(height)),
                                         Integer(2, static_cast<int64_t>(width)), Integer(3, 1),
                                         Bytes(4, EncodeGreyPng(grey, height, width)));
  message_ += Value(tag, Bytes(value_field::kImage, image));
}

EventFile::EventFile(std::string folder, int64_t step)
    : folder_(std::move(folder)), first_step_(step) {
  // TensorBoard reads the files of a folder in the order of their names, the times.
  path_ = absl::StrFormat("%s/events.out.tfevents.%010d.%d", folder_,
                          absl::ToUnixSeconds(absl::Now()), getpid());
}

absl::Status EventFile::Append(int64_t step, const Summary& summary) {
  if (size_ == 0) {
    SEQ2SEQ_RETURN_IF_ERROR(CreateFolders(folder_));
    const std::string start = Integer(event_field::kSessionStatus, event_field::kSessionStart);
    std::string beginning = Event(0, Bytes(event_field::kFileVersion, "brain.Event:2"));
    beginning += Event(first_step_, Bytes(event_field::kSessionLog, start));
    SEQ2SEQ_RETURN_IF_ERROR(Write(beginning));
  }
  return Write(Event(step, Bytes(event_field::kSummary, summary.message())));
}

absl::Status EventFile::Write(const std::string& bytes) {
  FileSystem& files = CurrentFileSystem();
  const int descriptor = files.Open(path_, O_WRONLY | O_CREAT);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat(path_, ": cannot open"));
  absl::Status status;
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t now = files.Write(descriptor, bytes.data() + written, bytes.size() - written,
                                    static_cast<off_t>(size_ + written));
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) {
      status = absl::ErrnoToStatus(now < 0 ? errno : ENOSPC, absl::StrCat(path_, ": cannot write"));
      break;
    }
    written += static_cast<size_t>(now);
  }
  close(descriptor);
  // What was written in part is written over by the next event.
  if (status.ok()) size_ += bytes.size();
  return status;
}

}  // namespace seq2seq
