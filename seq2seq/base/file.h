// Atomic writes of files and folders, memory-mapped files, and locks.
//
// All output of the toolkit is written under a temporary name in the same folder, synced, and
// renamed: whether a crash, a full disk or a second process interferes, readers never see a partial
// file. What a function that returned OK has written survives a power cut.
#ifndef SEQ2SEQ_BASE_FILE_H_
#define SEQ2SEQ_BASE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seq2seq {

// Whether `path` leads to something that is written in place and cannot be replaced: a device, a
// pipe, a socket, or, as /dev/stdout does, to an open file of a process, regular or not.
bool IsStream(const std::string& path);

// The path to which a new file is renamed in order to replace `path`: the target of a link, not the
// link. InvalidArgument if that is a folder or a stream.
absl::StatusOr<std::string> ReplaceablePath(const std::string& path);

// Syncs the folder that contains `path`, so that renames in it are durable.
absl::Status SyncParent(const std::string& path);

// A file that appears at its path once it is complete.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create("model.bin"));
//   SEQ2SEQ_RETURN_IF_ERROR(file.Append(bytes));
//   SEQ2SEQ_RETURN_IF_ERROR(file.Commit());
//
// Without Commit nothing is left behind. Errors name the file. Not thread-safe.
class AtomicFile {
 public:
  static absl::StatusOr<AtomicFile> Create(const std::string& path);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) = delete;
  ~AtomicFile();

  // Appends `bytes`; buffers small writes.
  absl::Status Append(absl::string_view bytes);

  // Bytes appended so far.
  size_t size() const { return size_; }

  // Flushes, syncs, and renames; replaces an existing file.
  absl::Status Commit();

 private:
  AtomicFile(std::string path, std::string temporary, int descriptor, bool nameless);
  absl::Status Flush();

  std::string path_;
  std::string temporary_;
  int descriptor_;
  bool nameless_;  // The temporary has no name yet.
  std::string buffer_;
  size_t size_ = 0;
};

// A folder that appears at its path once it is complete. Without Commit nothing is left behind.
class AtomicFolder {
 public:
  static absl::StatusOr<AtomicFolder> Create(const std::string& path);

  AtomicFolder(AtomicFolder&& other) noexcept;
  AtomicFolder& operator=(AtomicFolder&& other) = delete;
  ~AtomicFolder();

  // The folder for the files until Commit. They must be synced, as AtomicFile does.
  const std::string& temporary() const { return temporary_; }

  // Syncs the folder and renames it. An existing folder is replaced: it is moved aside first, so
  // that the path never holds a partial folder.
  absl::Status Commit();

 private:
  AtomicFolder(std::string path, std::string temporary);

  std::string path_;
  std::string temporary_;
};

// Writes `contents` as an AtomicFile.
absl::Status WriteFile(const std::string& path, absl::string_view contents);

// The contents of a file, or of a pipe until it is closed. InvalidArgument if there are more than
// `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes = SIZE_MAX);

// Makes `link` a symbolic link to `target`, replacing an existing one atomically.
absl::Status ReplaceLink(const std::string& target, const std::string& link);

// The temporary name of `path` while it is written, unique to this process.
std::string TemporaryName(const std::string& path);

// Removes from `folder` the temporary files and folders of killed processes whose names begin with
// `prefix`. No other process may be writing such files.
void RemoveTemporaries(const std::string& folder, absl::string_view prefix = "");

// Removes a file, a link, or a folder with its contents, atomically: what a crash leaves behind has
// a temporary name. No error if `path` does not exist.
absl::Status RemovePath(const std::string& path);

// Creates a folder and its parents; no error if it exists.
absl::Status CreateFolders(const std::string& path);

// A memory-mapped file, read only. A page is read from disk when it is first accessed; the system
// may reclaim its memory.
class MappedFile {
 public:
  // InvalidArgument for folders, pipes and devices.
  static absl::StatusOr<MappedFile> Open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  const char* data() const { return data_; }
  size_t size() const { return size_; }

  // Releases the memory of a part that is no longer needed, of the pages that lie entirely in it.
  // Changes made to them in memory are lost.
  void Release(const char* part, size_t size) const;

 private:
  MappedFile(const char* data, size_t size) : data_(data), size_(size) {}

  const char* data_;
  size_t size_;
};

// An exclusive lock on a folder, held for the lifetime of the object; the system releases it when
// the process ends, however it ends.
class FolderLock {
 public:
  // FailedPrecondition if another process holds `folder`.
  static absl::StatusOr<FolderLock> Acquire(const std::string& folder);

  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_FILE_H_
