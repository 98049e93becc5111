#include "seq2seq/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "seq2seq/base/file_system.h"
#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

constexpr size_t kBufferSize = 1 << 20;

absl::Status Error(const std::string& path, absl::string_view action) {
  return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot ", action));
}

absl::Status Error(const std::string& path, absl::string_view action, const std::error_code& code) {
  return absl::ErrnoToStatus(code.value(), absl::StrCat(path, ": cannot ", action));
}

std::string ParentFolder(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

absl::Status SyncFolder(const std::string& path) {
  const int descriptor = CurrentFileSystem().Open(path, O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return Error(path, "open");
  const absl::Status status =
      CurrentFileSystem().Sync(descriptor) == 0 ? absl::OkStatus() : Error(path, "sync");
  close(descriptor);
  return status;
}

// Removes a file, a link, or a folder with its contents, as far as possible.
void RemoveAll(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(std::filesystem::symlink_status(path, ignored))) {
    CurrentFileSystem().Remove(path);
    return;
  }
  std::vector<std::string> entries;
  for (const auto& entry : std::filesystem::directory_iterator(path, ignored))
    entries.push_back(entry.path().string());
  for (const std::string& entry : entries) RemoveAll(entry);
  CurrentFileSystem().RemoveFolder(path);
}

// Moves whatever exists at `path` to a temporary name, which it returns.
absl::StatusOr<std::string> MoveAside(const std::string& path) {
  const std::string aside = TemporaryName(path + ".old");
  RemoveAll(aside);
  if (CurrentFileSystem().Rename(path, aside) != 0 && errno != ENOENT)
    return Error(path, "move aside");
  return aside;
}

}  // namespace

bool IsStream(const std::string& path) {
  std::error_code code;
  std::filesystem::path place = path;
  // Links below /proc lead to open files, whose names do not tell how they were opened.
  for (int links = 0; links < 40; ++links) {
    const std::string folder = std::filesystem::canonical(ParentFolder(place), code).string();
    if (absl::StartsWith(folder, "/proc/")) return true;
    const std::filesystem::path next = std::filesystem::read_symlink(place, code);
    if (code) break;
    place = folder / next;
  }
  return std::filesystem::is_other(path, code);
}

absl::StatusOr<std::string> ReplaceablePath(const std::string& path) {
  if (IsStream(path))
    return absl::InvalidArgumentError(absl::StrCat(path, ": a file is expected, not a stream"));
  std::error_code code;
  if (std::filesystem::is_directory(path, code))
    return absl::InvalidArgumentError(absl::StrCat(path, ": is a folder, a file is expected"));
  if (!std::filesystem::is_symlink(path, code)) return path;
  const std::string real = std::filesystem::weakly_canonical(path, code).string();
  if (code) return Error(path, "create", code);
  return real;
}

absl::Status SyncParent(const std::string& path) { return SyncFolder(ParentFolder(path)); }

AtomicFile::AtomicFile(std::string path, std::string temporary, int descriptor, bool nameless)
    : path_(std::move(path)),
      temporary_(std::move(temporary)),
      descriptor_(descriptor),
      nameless_(nameless) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      nameless_(other.nameless_),
      buffer_(std::move(other.buffer_)),
      size_(other.size_) {}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  if (!nameless_) CurrentFileSystem().Remove(temporary_);
}

absl::StatusOr<AtomicFile> AtomicFile::Create(const std::string& path) {
  SEQ2SEQ_ASSIGN_OR_RETURN(std::string real, ReplaceablePath(path));
  std::string temporary = TemporaryName(real);
  // An unnamed file vanishes with the process, however that ends. Not all file systems have them.
  FileSystem& files = CurrentFileSystem();
  int descriptor = files.Open(ParentFolder(real), O_WRONLY | O_TMPFILE);
  const bool nameless = descriptor >= 0;
  if (!nameless) descriptor = files.Open(temporary, O_WRONLY | O_CREAT | O_TRUNC);
  if (descriptor < 0) return Error(path, "create");
  return AtomicFile(std::move(real), std::move(temporary), descriptor, nameless);
}

absl::Status AtomicFile::Append(absl::string_view bytes) {
  size_ += bytes.size();
  buffer_.append(bytes.data(), bytes.size());
  return buffer_.size() < kBufferSize ? absl::OkStatus() : Flush();
}

absl::Status AtomicFile::Flush() {
  while (!buffer_.empty()) {
    const ssize_t written = CurrentFileSystem().Write(descriptor_, buffer_.data(), buffer_.size(),
                                                      static_cast<off_t>(size_ - buffer_.size()));
    if (written < 0 && errno != EINTR) return Error(path_, "write");
    if (written > 0) buffer_.erase(0, static_cast<size_t>(written));  // The next try resumes here.
  }
  return absl::OkStatus();
}

absl::Status AtomicFile::Commit() {
  SEQ2SEQ_RETURN_IF_ERROR(Flush());
  FileSystem& files = CurrentFileSystem();
  if (files.Sync(descriptor_) != 0) return Error(path_, "sync");
  if (nameless_) {
    files.Remove(temporary_);
    if (files.Link(descriptor_, temporary_) != 0) return Error(path_, "link");
    nameless_ = false;
  }
  if (files.Rename(temporary_, path_) != 0) return Error(path_, "replace");
  close(std::exchange(descriptor_, -1));
  return SyncFolder(ParentFolder(path_));
}

AtomicFolder::AtomicFolder(std::string path, std::string temporary)
    : path_(std::move(path)), temporary_(std::move(temporary)) {}

AtomicFolder::AtomicFolder(AtomicFolder&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, "")) {}

AtomicFolder::~AtomicFolder() {
  if (!temporary_.empty()) RemoveAll(temporary_);
}

absl::StatusOr<AtomicFolder> AtomicFolder::Create(const std::string& path) {
  // With a trailing slash the temporary folder would be inside `path`.
  std::string plain = path;
  while (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  AtomicFolder folder(plain, TemporaryName(plain));
  if (const absl::Status above = CreateFolders(ParentFolder(plain)); !above.ok())
    return absl::Status(above.code(), absl::StrCat(path, ": cannot create: ", above.message()));
  RemoveAll(folder.temporary_);
  if (CurrentFileSystem().MakeFolder(folder.temporary_) != 0) return Error(path, "create");
  return folder;
}

absl::Status AtomicFolder::Commit() {
  SEQ2SEQ_RETURN_IF_ERROR(SyncFolder(temporary_));
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string before, MoveAside(path_));
  if (CurrentFileSystem().Rename(temporary_, path_) != 0) {
    absl::Status error = Error(path_, "replace");
    CurrentFileSystem().Rename(before, path_);
    return error;
  }
  temporary_.clear();
  const absl::Status synced = SyncFolder(ParentFolder(path_));
  RemoveAll(before);
  return synced;
}

absl::Status WriteFile(const std::string& path, absl::string_view contents) {
  SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  SEQ2SEQ_RETURN_IF_ERROR(file.Append(contents));
  return file.Commit();
}

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  const int descriptor = CurrentFileSystem().Open(path, O_RDONLY);
  if (descriptor < 0) return Error(path, "open");
  std::string contents;
  char buffer[1 << 16];
  ssize_t count = 0;
  while (contents.size() <= max_bytes && (count = read(descriptor, buffer, sizeof buffer)) != 0) {
    if (count > 0) {
      contents.append(buffer, static_cast<size_t>(count));
    } else if (errno != EINTR) {
      break;
    }
  }
  absl::Status error = count < 0 ? Error(path, "read") : absl::OkStatus();
  close(descriptor);
  if (!error.ok()) return error;
  if (contents.size() <= max_bytes) return contents;
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": has more than ", max_bytes, " bytes, which is too large"));
}

absl::Status ReplaceLink(const std::string& target, const std::string& link) {
  const std::string temporary = TemporaryName(link);
  FileSystem& files = CurrentFileSystem();
  files.Remove(temporary);
  if (files.LinkTo(target, temporary) != 0) return Error(link, "create");
  if (files.Rename(temporary, link) != 0) {
    const absl::Status error = Error(link, "replace");
    files.Remove(temporary);
    return error;
  }
  return SyncFolder(ParentFolder(link));
}

std::string TemporaryName(const std::string& path) {
  return absl::StrCat(path, ".", getpid(), ".tmp");
}

void RemoveTemporaries(const std::string& folder, absl::string_view prefix) {
  std::error_code ignored;
  std::vector<std::string> ours;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::filesystem::path& path = entry.path();
    const std::filesystem::path stem = path.stem();  // NAME.PROCESS, as TemporaryName makes them.
    int64_t process = 0;
    if (absl::StartsWith(path.filename().string(), prefix) && path.extension() == ".tmp" &&
        stem.has_extension() && absl::SimpleAtoi(stem.extension().string().substr(1), &process)) {
      ours.push_back(path.string());
    }
  }
  for (const std::string& path : ours) RemoveAll(path);
}

absl::Status RemovePath(const std::string& path) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const std::string aside, MoveAside(path));
  // Before its contents are removed, so that a power cut leaves no partial folder at `path`.
  SEQ2SEQ_RETURN_IF_ERROR(SyncFolder(ParentFolder(path)));
  RemoveAll(aside);
  return absl::OkStatus();
}

absl::Status CreateFolders(const std::string& path) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) return absl::OkStatus();
  const std::string parent = ParentFolder(path);
  if (parent != path) SEQ2SEQ_RETURN_IF_ERROR(CreateFolders(parent));
  if (CurrentFileSystem().MakeFolder(path) != 0) {
    absl::Status error = Error(path, "create the folder");
    if (!std::filesystem::is_directory(path, code)) return error;
  }
  return SyncFolder(parent);
}

absl::StatusOr<MappedFile> MappedFile::Open(const std::string& path) {
  const int descriptor = CurrentFileSystem().Open(path, O_RDONLY);
  if (descriptor < 0) return Error(path, "open");
  struct stat info;
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(descriptor);
    return absl::InvalidArgumentError(absl::StrCat(path, ": cannot map, not a regular file"));
  }
  const auto size = static_cast<size_t>(info.st_size);
  // Empty files cannot be mapped.
  void* data =
      size == 0 ? nullptr : mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
  absl::Status error = data == MAP_FAILED ? Error(path, "map") : absl::OkStatus();
  close(descriptor);
  if (!error.ok()) return error;
  return MappedFile(static_cast<const char*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<char*>(data_), size_);
}

void MappedFile::Release(const char* part, size_t size) const {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(part) + page - 1) / page * page;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(part) + size) / page * page;
  // Where this fails, the memory is kept until the file is closed.
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

absl::StatusOr<FolderLock> FolderLock::Acquire(const std::string& folder) {
  const int descriptor = CurrentFileSystem().Open(folder, O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return Error(folder, "open");
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const absl::Status error = Error(folder, "lock");
    const bool held = errno == EWOULDBLOCK;
    close(descriptor);
    if (!held) return error;
    return absl::FailedPreconditionError(absl::StrCat(folder, ": in use by another process"));
  }
  return FolderLock(descriptor);
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace seq2seq
