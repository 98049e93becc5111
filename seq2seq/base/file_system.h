// The system calls that base/file changes files by.
//
// A seam for tests, which make them fail, lose what was not synced, or stop as a power cut would.
#ifndef SEQ2SEQ_BASE_FILE_SYSTEM_H_
#define SEQ2SEQ_BASE_FILE_SYSTEM_H_

#include <sys/types.h>

#include <cstddef>
#include <string>

namespace seq2seq {

// Each function is the call that its comment names: it returns what that does, and sets errno.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // open, with O_CLOEXEC and, for new files, mode 0666.
  virtual int Open(const std::string& path, int flags);
  // pwrite
  virtual ssize_t Write(int descriptor, const char* data, size_t size, off_t offset);
  // fsync, of a file or a folder.
  virtual int Sync(int descriptor);
  // linkat: gives an open file that has no name one.
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

// The one in use: the system, unless another was set.
FileSystem& CurrentFileSystem();

// Puts another in its place, for tests; null is the system again. No other thread may be writing.
void SetFileSystem(FileSystem* files);

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_FILE_SYSTEM_H_
