#include "seq2seq/base/byte_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

constexpr size_t kBufferSize = 1 << 17;

}  // namespace

ByteReader::ByteReader(int descriptor) : descriptor_(descriptor), buffer_(kBufferSize) {}

ByteReader::~ByteReader() {
  if (descriptor_ != STDIN_FILENO) close(descriptor_);
}

absl::StatusOr<std::unique_ptr<ByteReader>> ByteReader::Open(const std::string& path) {
  if (path == "-") return std::unique_ptr<ByteReader>(new ByteReader(STDIN_FILENO));
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot open"));
  }
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is a folder, a text file is expected"));
  }
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot open"));
  std::unique_ptr<ByteReader> reader(new ByteReader(descriptor));
  while (reader->unread_.size() < kMagicBytes && !reader->ended_) {
    if (const absl::Status status = reader->Fill(); !status.ok()) {
      return absl::Status(status.code(), absl::StrCat(path, ": cannot read: ", status.message()));
    }
  }
  SEQ2SEQ_ASSIGN_OR_RETURN(reader->decompressor_, MakeDecompressor(CompressionOf(reader->unread_)));
  if (reader->decompressor_ != nullptr) reader->text_.resize(kBufferSize);
  return reader;
}

absl::StatusOr<absl::string_view> ByteReader::Next() {
  while (true) {
    if (unread_.empty() && !ended_) SEQ2SEQ_RETURN_IF_ERROR(Fill());
    if (decompressor_ == nullptr) return std::exchange(unread_, absl::string_view());
    SEQ2SEQ_ASSIGN_OR_RETURN(const size_t size,
                             decompressor_->Decompress(unread_, ended_, absl::MakeSpan(text_)));
    if (size > 0 || (unread_.empty() && ended_)) return absl::string_view(text_.data(), size);
  }
}

absl::Status ByteReader::Fill() {
  char* const end = buffer_.data() + unread_.size();
  ssize_t size;
  do {
    size = read(descriptor_, end, buffer_.size() - unread_.size());
  } while (size < 0 && errno == EINTR);
  if (size < 0) return absl::Status(absl::ErrnoToStatusCode(errno), std::strerror(errno));
  ended_ = size == 0;
  unread_ = absl::string_view(buffer_.data(), unread_.size() + static_cast<size_t>(size));
  return absl::OkStatus();
}

}  // namespace seq2seq
