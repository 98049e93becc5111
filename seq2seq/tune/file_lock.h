// Lock on a file between processes, on one machine or, over a network file system, on several.
#ifndef SEQ2SEQ_TUNE_FILE_LOCK_H_
#define SEQ2SEQ_TUNE_FILE_LOCK_H_

#include <string>

#include "absl/status/statusor.h"

namespace seq2seq {

// Held for the lifetime of the object; the system releases it when the process ends, however it
// ends. Unlike FolderLock it opens its file for writing, which network file systems need.
class FileLock {
 public:
  // Creates the file if it is missing. FailedPrecondition if another process, or another object of
  // this one, holds the lock.
  static absl::StatusOr<FileLock> Acquire(const std::string& path);

  // Waits for the lock up to `seconds`; then DeadlineExceeded.
  static absl::StatusOr<FileLock> Await(const std::string& path, double seconds);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TUNE_FILE_LOCK_H_
