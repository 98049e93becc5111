#include "seq2seq/base/line_reader.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "seq2seq/base/byte_reader.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {

LineReader::LineReader(std::string path, size_t max_line_bytes, std::unique_ptr<ByteReader> bytes)
    : path_(std::move(path)), max_line_bytes_(max_line_bytes), bytes_(std::move(bytes)) {}

LineReader::~LineReader() = default;

absl::StatusOr<std::unique_ptr<LineReader>> LineReader::Open(const std::string& path,
                                                             size_t max_line_bytes) {
  SEQ2SEQ_ASSIGN_OR_RETURN(std::unique_ptr<ByteReader> bytes, ByteReader::Open(path));
  return std::unique_ptr<LineReader>(
      new LineReader(path == "-" ? "standard input" : path, max_line_bytes, std::move(bytes)));
}

absl::Status LineReader::ReadRaw(std::string& line, size_t most) {
  while (line.size() <= most && (line.empty() || line.back() != '\n')) {
    if (unread_.empty()) {
      const absl::StatusOr<absl::string_view> next = bytes_->Next();
      if (!next.ok()) {
        return absl::Status(next.status().code(),
                            absl::StrCat(path_, ": cannot read after line ", line_number_, ": ",
                                         next.status().message()));
      }
      if (next->empty()) break;
      unread_ = *next;
    }
    const size_t length = std::min(unread_.find('\n'), unread_.size() - 1) + 1;
    line.append(unread_.data(), length);
    unread_.remove_prefix(length);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> LineReader::Next(std::string& line) {
  line.clear();
  SEQ2SEQ_RETURN_IF_ERROR(ReadRaw(line, max_line_bytes_ + 2));
  if (line.empty()) return false;
  if (line_number_++ == 0 && line.rfind("\xEF\xBB\xBF", 0) == 0) line.erase(0, 3);
  if (!line.empty() && line.back() == '\n') line.pop_back();
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line.size() <= max_line_bytes_) return true;
  return absl::InvalidArgumentError(absl::StrCat(
      path_, ":", line_number_, ": the line has more than ", max_line_bytes_, " bytes"));
}

absl::StatusOr<std::vector<std::string>> ReadLines(const std::string& path) {
  SEQ2SEQ_ASSIGN_OR_RETURN(std::unique_ptr<LineReader> reader, LineReader::Open(path));
  std::vector<std::string> lines;
  std::string line;
  while (true) {
    SEQ2SEQ_ASSIGN_OR_RETURN(bool more, reader->Next(line));
    if (!more) return lines;
    lines.push_back(line);
  }
}

}  // namespace seq2seq
