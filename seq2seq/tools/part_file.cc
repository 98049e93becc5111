#include "seq2seq/tools/part_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "seq2seq/base/file.h"
#include "seq2seq/base/fingerprint.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

// The journal's entry for a line of the input, in its memory layout.
struct Record {
  uint64_t line = 0;  // Hashes.
  uint64_t output = 0;
  int64_t size = 0;  // Of the output.
};

uint64_t HashOf(absl::string_view text) {
  Fingerprint fingerprint;
  fingerprint.Add(text);
  return fingerprint.value();
}

absl::Status Error(const std::string& path, absl::string_view action) {
  return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot ", action));
}

absl::Status WriteAll(int descriptor, absl::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return Error(path, "write");
    if (written > 0) bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

bool Read(std::istream& stream, Record& record) {
  return static_cast<bool>(stream.read(reinterpret_cast<char*>(&record), sizeof record));
}

// An empty line ends the settings in the journal.
std::string Header(const std::string& settings) { return settings + "\n"; }

// Names the first line in which the settings of a journal differ from `settings`; OK if none does.
absl::Status CheckSettings(std::istream& journal, const std::string& settings,
                           const std::string& part) {
  std::string before;
  for (const absl::string_view now : absl::StrSplit(settings, '\n')) {
    if (!std::getline(journal, before)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--resume: ", part, " has no journal; leave out --resume to start anew"));
    }
    if (before != now) {
      return absl::InvalidArgumentError(absl::StrCat("--resume: ", part, " was started with '",
                                                     before, "', not '", now,
                                                     "'; leave out --resume to start anew"));
    }
  }
  return absl::OkStatus();
}

// The number of complete records whose output is complete, too.
int64_t CountWhole(std::istream& journal, std::istream& part, int64_t size_of_part) {
  int64_t whole = 0;
  int64_t size = 0;
  std::string output;
  for (Record record; Read(journal, record); ++whole) {
    if (record.size < 0 || record.size > size_of_part - size) break;
    size += record.size;
    output.resize(static_cast<size_t>(record.size));
    if (!part.read(output.data(), record.size) || HashOf(output) != record.output) break;
  }
  return whole;
}

}  // namespace

absl::StatusOr<PartFile> PartFile::Open(const std::string& path) {
  SEQ2SEQ_ASSIGN_OR_RETURN(std::string real, ReplaceablePath(path));
  PartFile file(std::move(real));
  file.part_ = open(file.part().c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file.part_ < 0) return Error(file.part(), "create");
  struct stat ours, now;
  // The process that held the lock before may have renamed the file since.
  if (flock(file.part_, LOCK_EX | LOCK_NB) != 0 || fstat(file.part_, &ours) != 0 ||
      stat(file.part().c_str(), &now) != 0 || ours.st_ino != now.st_ino) {
    return absl::FailedPreconditionError(absl::StrCat(file.part(), ": in use by another process"));
  }
  file.journal_ = open(file.journal().c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file.journal_ < 0) return Error(file.journal(), "create");
  return file;
}

absl::Status PartFile::Start(const std::string& settings) {
  begun_ = true;
  SEQ2SEQ_RETURN_IF_ERROR(Cut());
  const std::string header = Header(settings);
  SEQ2SEQ_RETURN_IF_ERROR(WriteAll(journal_, header, journal()));
  journal_size_ = static_cast<int64_t>(header.size());
  return absl::OkStatus();
}

absl::StatusOr<PartFile> PartFile::Begin(const std::string& path, const std::string& settings) {
  SEQ2SEQ_ASSIGN_OR_RETURN(PartFile file, Open(path));
  SEQ2SEQ_RETURN_IF_ERROR(file.Start(settings));
  return file;
}

absl::StatusOr<PartFile> PartFile::Resume(const std::string& path, const std::string& settings,
                                          LineReader& input,
                                          absl::FunctionRef<int64_t(int64_t)> keep) {
  SEQ2SEQ_ASSIGN_OR_RETURN(PartFile file, Open(path));
  std::error_code ignored;
  const bool empty = std::filesystem::file_size(file.part(), ignored) == 0;
  SEQ2SEQ_RETURN_IF_ERROR(empty ? file.Start(settings) : file.GoOn(settings, input, keep));
  return file;
}

absl::Status PartFile::GoOn(const std::string& settings, LineReader& input,
                            absl::FunctionRef<int64_t(int64_t)> keep) {
  std::ifstream journal_stream(journal(), std::ios::binary);
  std::ifstream part_stream(part(), std::ios::binary);
  SEQ2SEQ_RETURN_IF_ERROR(CheckSettings(journal_stream, settings, part()));
  struct stat info;
  if (fstat(part_, &info) != 0) return Error(part(), "read");
  const int64_t kept = keep(CountWhole(journal_stream, part_stream, info.st_size));
  const auto header = static_cast<int64_t>(Header(settings).size());
  journal_stream.clear();
  journal_stream.seekg(header);
  int64_t size = 0;
  std::string line;
  for (int64_t i = 0; i < kept; ++i) {
    Record record;
    Read(journal_stream, record);
    SEQ2SEQ_ASSIGN_OR_RETURN(const bool more, input.Next(line));
    if (!more || HashOf(line) != record.line) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--resume: ", input.path(), ":", i + 1, more ? ": is not the line" : ": lacks the line",
          " that ", part(), " was made from; leave out --resume to start anew"));
    }
    size += record.size;
  }
  begun_ = true;
  lines_ = kept;
  part_size_ = size;
  journal_size_ = header + kept * static_cast<int64_t>(sizeof(Record));
  return Cut();
}

PartFile::PartFile(PartFile&& other) noexcept
    : path_(std::move(other.path_)),
      part_(std::exchange(other.part_, -1)),
      journal_(std::exchange(other.journal_, -1)),
      begun_(std::exchange(other.begun_, false)),
      lines_(other.lines_),
      part_size_(other.part_size_),
      journal_size_(other.journal_size_) {}

PartFile::~PartFile() {
  if (begun_ && lines_ == 0) {
    unlink(part().c_str());
    unlink(journal().c_str());
  } else if (begun_ && Cut().ok()) {
    // There is nowhere to report an error; Resume finds what has reached the disk.
    fsync(part_);
    fsync(journal_);
  }
  if (journal_ >= 0) close(journal_);
  if (part_ >= 0) close(part_);
}

absl::Status PartFile::Cut() {
  if (ftruncate(part_, part_size_) != 0) return Error(part(), "truncate");
  if (ftruncate(journal_, journal_size_) != 0) return Error(journal(), "truncate");
  return absl::OkStatus();
}

absl::Status PartFile::Append(absl::string_view line, absl::string_view output) {
  const Record record = {HashOf(line), HashOf(output), static_cast<int64_t>(output.size())};
  SEQ2SEQ_RETURN_IF_ERROR(WriteAll(part_, output, part()));
  SEQ2SEQ_RETURN_IF_ERROR(
      WriteAll(journal_, {reinterpret_cast<const char*>(&record), sizeof record}, journal()));
  ++lines_;
  part_size_ += record.size;
  journal_size_ += static_cast<int64_t>(sizeof record);
  return absl::OkStatus();
}

absl::Status PartFile::Commit(absl::string_view ending) {
  SEQ2SEQ_RETURN_IF_ERROR(WriteAll(part_, ending, part()));
  if (fsync(part_) != 0) return Error(part(), "sync");
  if (rename(part().c_str(), path_.c_str()) != 0) return Error(path_, "replace");
  begun_ = false;
  unlink(journal().c_str());
  return SyncParent(path_);
}

}  // namespace seq2seq
