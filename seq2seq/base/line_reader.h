// Lines of text, from plain and compressed files and from standard input.
#ifndef SEQ2SEQ_BASE_LINE_READER_H_
#define SEQ2SEQ_BASE_LINE_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seq2seq {

class ByteReader;

// Default limit on the length of a line.
inline constexpr size_t kMaxLineBytes = 16 << 20;

// Reads a text file line by line, in constant memory beside the line itself.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(auto reader, LineReader::Open("train.de.gz"));
//   std::string line;
//   while (true) {
//     SEQ2SEQ_ASSIGN_OR_RETURN(bool more, reader->Next(line));
//     if (!more) break;
//     …
//   }
//
// Files in gzip, zstd and xz, by their first bytes, are decompressed. "-" is standard input, which
// is not, and whose lines are returned as soon as complete. A byte order mark, "\n" and "\r\n" are
// removed. Not thread-safe.
class LineReader {
 public:
  // NotFound or another error of the system, naming the file.
  static absl::StatusOr<std::unique_ptr<LineReader>> Open(const std::string& path,
                                                          size_t max_line_bytes = kMaxLineBytes);

  ~LineReader();

  // Puts the next line into `line` and returns true, or returns false at the end of the file.
  // DataLoss if compressed data are truncated or corrupt, ResourceExhausted if they need more
  // memory than kMaxDecoderBytes (base/decompressor.h), InvalidArgument if the line is longer than
  // `max_line_bytes`.
  absl::StatusOr<bool> Next(std::string& line);

  const std::string& path() const { return path_; }

  // Lines read so far: the number of the last one, counted from 1.
  int64_t line_number() const { return line_number_; }

 private:
  LineReader(std::string path, size_t max_line_bytes, std::unique_ptr<ByteReader> bytes);

  // Appends the next line with its terminator to `line`, which is empty; leaves it empty at the end
  // of the file. May stop within a line of more than `most` bytes.
  absl::Status ReadRaw(std::string& line, size_t most);

  std::string path_;
  size_t max_line_bytes_;
  std::unique_ptr<ByteReader> bytes_;
  absl::string_view unread_;  // Of what bytes_ returned last.
  int64_t line_number_ = 0;
};

// All lines of a file, each of kMaxLineBytes at most.
absl::StatusOr<std::vector<std::string>> ReadLines(const std::string& path);

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_LINE_READER_H_
