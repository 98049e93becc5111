// Files that are whole or not there, and files as memory.
//
// Everything that the toolkit leaves on disk is written under another name in the same folder,
// synced, and renamed: a crash, a full disk or a second process never shows a reader half a file.
// What a function that returned OK has written is there after a power cut too.
#ifndef SEQ2SEQ_BASE_FILE_H_
#define SEQ2SEQ_BASE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seq2seq {

// Whether `path` leads to what is written as it stands and cannot be replaced: a device, a pipe, a
// socket, or what a process has open, as /dev/stdout does, be it a file or not.
bool IsStream(const std::string& path);

// The path that a new file is renamed to so that it replaces `path`: what a link leads to, and not
// the link. InvalidArgument if that is a folder or a stream.
absl::StatusOr<std::string> ReplaceablePath(const std::string& path);

// Writes the entries of the folder that holds `path` through to the disk: what was renamed there
// stays so.
absl::Status SyncParent(const std::string& path);

// A file that appears at its path when it is complete.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create("model.bin"));
//   SEQ2SEQ_RETURN_IF_ERROR(file.Append(bytes));
//   SEQ2SEQ_RETURN_IF_ERROR(file.Commit());
//
// Without Commit nothing remains. Errors name the file. Not thread-safe.
class AtomicFile {
 public:
  static absl::StatusOr<AtomicFile> Create(const std::string& path);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) = delete;
  ~AtomicFile();

  // Writes `bytes` at the end; gathers small writes.
  absl::Status Append(absl::string_view bytes);

  // Bytes appended so far.
  size_t size() const { return size_; }

  // Writes what is left, syncs, and renames; replaces a file that is already there.
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

// A folder that appears at its path when it is complete. Without Commit nothing remains.
class AtomicFolder {
 public:
  static absl::StatusOr<AtomicFolder> Create(const std::string& path);

  AtomicFolder(AtomicFolder&& other) noexcept;
  AtomicFolder& operator=(AtomicFolder&& other) = delete;
  ~AtomicFolder();

  // Where to put the files until Commit. They must be synced, as AtomicFile does.
  const std::string& temporary() const { return temporary_; }

  // Syncs the folder and renames it. A folder that is already there is replaced: moved aside first,
  // so that what is at the path is whole or not there.
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

// Makes `link` a symbolic link to `target`, replacing what link was in one step.
absl::Status ReplaceLink(const std::string& target, const std::string& link);

// The name that `path` has while it is written, unique among the processes that may write it.
std::string TemporaryName(const std::string& path);

// Removes from `folder` what processes that were killed had begun to write there, as far as its
// name was to begin with `prefix`. No other may be writing that.
void RemoveTemporaries(const std::string& folder, absl::string_view prefix = "");

// Removes a file, a link, or a folder with all that is in it, or nothing: what is left by a crash
// has a temporary name. No error if there is nothing.
absl::Status RemovePath(const std::string& path);

// Creates a folder and those above it; no error if it exists.
absl::Status CreateFolders(const std::string& path);

// A file mapped into memory, read only. Reading costs when a page is first touched; the memory is
// the system's to take back.
class MappedFile {
 public:
  // InvalidArgument for folders, pipes and devices.
  static absl::StatusOr<MappedFile> Open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  const char* data() const { return data_; }
  size_t size() const { return size_; }

  // Gives back the memory of a part that is not looked at anymore: of the pages that lie wholly in
  // it. What was written to them is lost.
  void Release(const char* part, size_t size) const;

 private:
  MappedFile(const char* data, size_t size) : data_(data), size_(size) {}

  const char* data_;
  size_t size_;
};

// Keeps other processes out of a folder for as long as it lives; the system frees it when the
// process ends, however it ends.
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
