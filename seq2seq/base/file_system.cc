#include "seq2seq/base/file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

namespace seq2seq {
namespace {

FileSystem* current = nullptr;

}  // namespace

int FileSystem::Open(const std::string& path, int flags) {
  return open(path.c_str(), flags | O_CLOEXEC, 0666);
}

ssize_t FileSystem::Write(int descriptor, const char* data, size_t size, off_t offset) {
  return pwrite(descriptor, data, size, offset);
}

int FileSystem::Sync(int descriptor) { return fsync(descriptor); }

int FileSystem::Link(int descriptor, const std::string& path) {
  const std::string open_file = "/proc/self/fd/" + std::to_string(descriptor);
  return linkat(AT_FDCWD, open_file.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW);
}

int FileSystem::Rename(const std::string& from, const std::string& to) {
  return rename(from.c_str(), to.c_str());
}

int FileSystem::LinkTo(const std::string& target, const std::string& path) {
  return symlink(target.c_str(), path.c_str());
}

int FileSystem::Remove(const std::string& path) { return unlink(path.c_str()); }

int FileSystem::MakeFolder(const std::string& path) { return mkdir(path.c_str(), 0777); }

int FileSystem::RemoveFolder(const std::string& path) { return rmdir(path.c_str()); }

FileSystem& CurrentFileSystem() {
  static FileSystem system;
  return current == nullptr ? system : *current;
}

void SetFileSystem(FileSystem* files) { current = files; }

}  // namespace seq2seq
