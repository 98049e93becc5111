#include "seq2seq/base/line_reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include <zlib.h>

#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

// Reads the file descriptor directly: stdin and std::cin hold a lock while they wait for input, and
// glibc's exit waits for that lock.
class StdinReader : public LineReader {
 public:
  explicit StdinReader(size_t max_line_bytes) : LineReader("standard input", max_line_bytes) {}

 protected:
  absl::Status ReadRaw(std::string& line, size_t most) override {
    while (line.size() <= most && (line.empty() || line.back() != '\n')) {
      if (unread_.empty()) {
        const ssize_t size = read(STDIN_FILENO, buffer_, sizeof buffer_);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return absl::ErrnoToStatus(errno, absl::StrCat(path(), ": cannot read"));
        if (size == 0) break;
        unread_ = absl::string_view(buffer_, static_cast<size_t>(size));
      }
      const size_t length = std::min(unread_.find('\n'), unread_.size() - 1) + 1;
      line.append(unread_.data(), length);
      unread_.remove_prefix(length);
    }
    return absl::OkStatus();
  }

 private:
  char buffer_[1 << 16];
  absl::string_view unread_;  // In the buffer.
};

// zlib reads uncompressed files unchanged.
class FileReader : public LineReader {
 public:
  FileReader(std::string path, size_t max_line_bytes, gzFile file)
      : LineReader(std::move(path), max_line_bytes), file_(file) {
    gzbuffer(file_, 1 << 17);
  }
  ~FileReader() override { gzclose_r(file_); }

 protected:
  absl::Status ReadRaw(std::string& line, size_t most) override {
    char buffer[4096];
    while (line.size() <= most && (line.empty() || line.back() != '\n')) {
      if (gzgets(file_, buffer, sizeof buffer) == nullptr) break;
      // A line may contain NUL bytes, so that its length comes from the position in the file.
      line.append(buffer, Advance());
    }
    int code = Z_OK;
    const char* message = gzerror(file_, &code);
    if (code == Z_OK || code == Z_STREAM_END) return absl::OkStatus();
    if (code == Z_ERRNO) message = std::strerror(errno);
    return absl::DataLossError(
        absl::StrCat(path(), ": cannot read after line ", line_number(), ": ",
                     code == Z_BUF_ERROR ? "unexpected end of gzip data" : message));
  }

 private:
  size_t Advance() {
    const z_off_t before = std::exchange(position_, gztell(file_));
    return static_cast<size_t>(position_ - before);
  }

  gzFile file_;
  z_off_t position_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LineReader>> LineReader::Open(const std::string& path,
                                                             size_t max_line_bytes) {
  if (path == "-") return std::make_unique<StdinReader>(max_line_bytes);
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot open"));
  }
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is a folder, a text file is expected"));
  }
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot open"));
  return std::make_unique<FileReader>(path, max_line_bytes, file);
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
