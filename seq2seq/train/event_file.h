// Event files of TensorBoard: records of TensorFlow's Event messages.
//
// The formats are those of TensorFlow's record_writer.h (a record is length, checksum of the
// length, bytes, checksum of the bytes; checksums are masked CRC-32C, RFC 3720) and event.proto,
// summary.proto and tensor.proto in the encoding of protocol buffers.
#ifndef SEQ2SEQ_TRAIN_EVENT_FILE_H_
#define SEQ2SEQ_TRAIN_EVENT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace seq2seq {

// CRC-32C (Castagnoli) of `bytes`.
uint32_t Crc32c(absl::string_view bytes);

// `bytes` as a record of a file.
std::string Record(absl::string_view bytes);

// The distribution of values: how many lie between neighbouring limits, which are the powers of 1.1
// as in TensorFlow.
class ValueHistogram {
 public:
  // Not finite values are left out.
  void Add(const float* values, size_t count);

  // The message HistogramProto: neighbouring empty buckets are one.
  std::string Message() const;

 private:
  double min_ = 0;
  double max_ = 0;
  double count_ = 0;
  double sum_ = 0;
  double sum_of_squares_ = 0;
  std::vector<double> buckets_;
};

// A summary: values of one step under tags, which TensorBoard groups by what stands before "/".
class Summary {
 public:
  void Scalar(absl::string_view tag, double value);
  void Histogram(absl::string_view tag, const ValueHistogram& histogram);
  // Markdown.
  void Text(absl::string_view tag, absl::string_view text);
  // A matrix [height, width] of values 0 to 1 in row-major order, as a grey image.
  void Image(absl::string_view tag, size_t height, size_t width, const std::vector<float>& values);

  const std::string& message() const { return message_; }

 private:
  std::string message_;
};

// A file that events are appended to. TensorBoard shows those of all files of a folder, and drops
// what earlier files have beyond the step at which a later one begins. Not thread-safe.
class EventFile {
 public:
  // Names a new file in `folder`, which is created with the first event; `step` is where it begins.
  EventFile(std::string folder, int64_t step);

  // Appends an event, at the time of day. An error of the system, naming the file; the event is
  // then lost.
  absl::Status Append(int64_t step, const Summary& summary);

 private:
  absl::Status Write(const std::string& bytes);

  std::string folder_;
  std::string path_;
  int64_t first_step_;
  size_t size_ = 0;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_EVENT_FILE_H_
