#include "seq2seq/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

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

// Unique among the processes that may write the same path.
std::string TemporaryName(const std::string& path) {
  return absl::StrCat(path, ".", getpid(), ".tmp");
}

absl::Status SyncFolder(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return Error(path, "open");
  const int result = fsync(descriptor);
  close(descriptor);
  return result == 0 ? absl::OkStatus() : Error(path, "sync");
}

}  // namespace

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
  if (!nameless_) unlink(temporary_.c_str());
}

absl::StatusOr<AtomicFile> AtomicFile::Create(const std::string& path) {
  // What a link leads to is replaced, not the link.
  std::error_code code;
  std::string real = path;
  if (std::filesystem::is_symlink(path, code)) {
    real = std::filesystem::weakly_canonical(path, code).string();
    if (code) return Error(path, "create", code);
  }
  std::string temporary = TemporaryName(real);
  // A file without a name goes away with the process, however that ends. Not every file system
  // knows it.
  int descriptor = open(ParentFolder(real).c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
  const bool nameless = descriptor >= 0;
  if (!nameless)
    descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return Error(path, "create");
  return AtomicFile(std::move(real), std::move(temporary), descriptor, nameless);
}

absl::Status AtomicFile::Append(absl::string_view bytes) {
  size_ += bytes.size();
  buffer_.append(bytes.data(), bytes.size());
  return buffer_.size() < kBufferSize ? absl::OkStatus() : Flush();
}

absl::Status AtomicFile::Flush() {
  const char* next = buffer_.data();
  const char* end = next + buffer_.size();
  while (next < end) {
    const ssize_t written = write(descriptor_, next, static_cast<size_t>(end - next));
    if (written < 0 && errno != EINTR) {
      absl::Status error = Error(path_, "write");
      buffer_.erase(0,
                    static_cast<size_t>(next - buffer_.data()));  // Another try goes on from here.
      return error;
    }
    if (written > 0) next += written;
  }
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status AtomicFile::Commit() {
  SEQ2SEQ_RETURN_IF_ERROR(Flush());
  if (fsync(descriptor_) != 0) return Error(path_, "sync");
  if (nameless_) {
    const std::string open_file = absl::StrCat("/proc/self/fd/", descriptor_);
    unlink(temporary_.c_str());
    if (linkat(AT_FDCWD, open_file.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      return Error(path_, "name");
    }
    nameless_ = false;
  }
  if (rename(temporary_.c_str(), path_.c_str()) != 0) return Error(path_, "replace");
  close(std::exchange(descriptor_, -1));
  return SyncFolder(ParentFolder(path_));
}

AtomicFolder::AtomicFolder(std::string path, std::string temporary)
    : path_(std::move(path)), temporary_(std::move(temporary)) {}

AtomicFolder::AtomicFolder(AtomicFolder&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, "")) {}

AtomicFolder::~AtomicFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) std::filesystem::remove_all(temporary_, ignored);
}

absl::StatusOr<AtomicFolder> AtomicFolder::Create(const std::string& path) {
  // With a slash at its end the temporary would be inside of it.
  std::string plain = path;
  while (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  AtomicFolder folder(plain, TemporaryName(plain));
  std::error_code code;
  std::filesystem::remove_all(folder.temporary_, code);
  std::filesystem::create_directories(folder.temporary_, code);
  if (code) return Error(path, "create", code);
  return folder;
}

absl::Status AtomicFolder::Commit() {
  SEQ2SEQ_RETURN_IF_ERROR(SyncFolder(temporary_));
  std::error_code code;
  std::filesystem::remove_all(path_, code);
  std::filesystem::rename(temporary_, path_, code);
  if (code) return Error(path_, "replace", code);
  temporary_.clear();
  return SyncFolder(ParentFolder(path_));
}

absl::Status WriteFile(const std::string& path, absl::string_view contents) {
  SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  SEQ2SEQ_RETURN_IF_ERROR(file.Append(contents));
  return file.Commit();
}

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
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
  unlink(temporary.c_str());
  if (symlink(target.c_str(), temporary.c_str()) != 0) return Error(link, "create");
  if (rename(temporary.c_str(), link.c_str()) != 0) {
    absl::Status error = Error(link, "replace");
    unlink(temporary.c_str());
    return error;
  }
  return SyncFolder(ParentFolder(link));
}

void RemoveTemporaries(const std::string& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    // NAME.PROCESS.tmp, as TemporaryName makes them.
    const std::filesystem::path stem = entry.path().stem();
    int64_t process = 0;
    const bool ours = entry.path().extension() == ".tmp" && stem.has_extension() &&
                      absl::SimpleAtoi(stem.extension().string().substr(1), &process);
    if (ours) std::filesystem::remove_all(entry.path(), ignored);
  }
}

absl::Status CreateFolders(const std::string& path) {
  std::error_code code;
  std::filesystem::create_directories(path, code);
  return code ? Error(path, "create the folder", code) : absl::OkStatus();
}

absl::StatusOr<MappedFile> MappedFile::Open(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Error(path, "open");
  struct stat info;
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(descriptor);
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": cannot map what is not a regular file"));
  }
  const auto size = static_cast<size_t>(info.st_size);
  // The system maps no empty files.
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
  // A system that cannot keeps the memory until the file is closed.
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

absl::StatusOr<FolderLock> FolderLock::Acquire(const std::string& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
