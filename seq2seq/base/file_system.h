// The system calls by which base/file modifies files.
//
// A seam for tests, which inject errors, lose unsynced data, or simulate a power cut.
#ifndef SEQ2SEQ_BASE_FILE_SYSTEM_H_
#define SEQ2SEQ_BASE_FILE_SYSTEM_H_

#include <sys/types.h>

#include <cstddef>
#include <string>

namespace seq2seq {

// Each function is the system call named in its comment, with its result and errno.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // open, with O_CLOEXEC and, for new files, mode 0666.
  virtual int Open(const std::string& path, int flags);
  // pwrite
  virtual ssize_t Write(int descriptor, const char* data, size_t size, off_t offset);
  // fsync, of a file or a folder.
  virtual int Sync(int descriptor);
  // linkat: gives an unnamed open file a name.
  virtual int Link(int descriptor, const std::string& path);
  // rename
  virtual int Rename(const std::string& from, const std::string& to);
  // symlink
  virtual int LinkTo(const std::string& target, const std::string& path);
  // unlink
  virtual int Remove(const std::string& path);
  // mkdir, with mode 0777.
  virtual int MakeFolder(const std::string& path);
  // rmdir
  virtual int RemoveFolder(const std::string& path);
};

// The current file system: the operating system's, unless another one was set.
FileSystem& CurrentFileSystem();

// Replaces it, for tests; null restores the default. No other thread may be writing.
void SetFileSystem(FileSystem* files);

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_FILE_SYSTEM_H_
