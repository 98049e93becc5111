// A file system that fails, stops and forgets.
#ifndef TESTS_TESTING_FAULTY_FILE_SYSTEM_H_
#define TESTS_TESTING_FAULTY_FILE_SYSTEM_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "seq2seq/base/file_system.h"
#include "seq2seq/base/random.h"

namespace seq2seq {

// Takes the place of the system for as long as it lives, and knows of the folder `root` what of it
// is synced (as LevelDB's FaultInjectionTestEnv): the bytes of a file when it was, and the names in
// a folder when that was. Really syncs nothing.
//
//   FaultyFileSystem files(folder.path());
//   files.FailFrom(7, EIO);  // The process is killed before its seventh call.
//   Save();
//   files.CutPower(other / "run", /*seed=*/1);  // And this is what the next one finds.
class FaultyFileSystem : public FileSystem {
 public:
  explicit FaultyFileSystem(const std::string& root) : root_(Add(root, Node{.is_folder = true})) {
    AddEntries(root, root_);
    SetFileSystem(this);
  }
  ~FaultyFileSystem() override { SetFileSystem(&before_); }

  // Calls since the last FailAt or FailFrom, or the beginning.
  int calls() const { return calls_; }

  // The n-th call from now on fails, the first being 1; or all from that on. What fails has no
  // effect, but that half of what is written may be there.
  void FailAt(int call, int error) { Fail(call, call, error); }
  void FailFrom(int call, int error) { Fail(call, std::numeric_limits<int>::max(), error); }
  void FailNoMore() { Fail(0, -1, 0); }

  // Makes at `path`, a new folder, what would be left of `root` if power failed now: what is
  // synced and, of what changed since in folders, in any order, nothing (seed 0), all (seed 1), or
  // what chance leaves.
  void CutPower(const std::string& path, uint64_t seed) const {
    std::map<int64_t, Node> nodes = nodes_;
    for (size_t i = 0; i < changes_.size(); ++i) {
      if (seed == 1 || (seed > 1 && DeriveSeed({seed, i}) % 2 == 0)) Apply(changes_[i], nodes);
    }
    Restore(nodes, root_, path);
  }

  int Open(const std::string& path, int flags) override {
    if (Fails()) return -1;
    struct stat info;
    const bool names = (flags & O_CREAT) != 0 && lstat(path.c_str(), &info) != 0;
    const int descriptor = FileSystem::Open(path, flags);
    if (descriptor < 0 || !(names || (flags & O_TMPFILE) == O_TMPFILE)) return descriptor;
    const int64_t file = Add(Inode(descriptor), Node());
    if (names) Change({{IdOf(Parent(path)), Name(path), file}});
    return descriptor;
  }

  ssize_t Write(int descriptor, const char* data, size_t size, off_t offset) override {
    if (!Fails()) return FileSystem::Write(descriptor, data, size, offset);
    const int error = errno;
    if (calls_ == first_) FileSystem::Write(descriptor, data, size / 2, offset);
    errno = error;
    return -1;
  }

  int Sync(int descriptor) override {
    if (Fails()) return -1;
    const auto found = ids_.find(Inode(descriptor));
    if (found == ids_.end()) return 0;
    Node& node = nodes_.at(found->second);
    if (!node.is_folder) {
      std::ifstream file("/proc/self/fd/" + std::to_string(descriptor), std::ios::binary);
      node.bytes.assign(std::istreambuf_iterator<char>(file), {});
      return 0;
    }
    std::vector<Entries> others;
    for (Entries& change : changes_) {
      bool concerns = false;
      for (const Entry& entry : change) concerns |= entry.folder == found->second;
      if (concerns)
        Apply(change, nodes_);
      else
        others.push_back(std::move(change));
    }
    changes_ = std::move(others);
    return 0;
  }

  int Link(int descriptor, const std::string& path) override {
    if (Fails() || FileSystem::Link(descriptor, path) != 0) return -1;
    Change({{IdOf(Parent(path)), Name(path), ids_.at(Inode(descriptor))}});
    return 0;
  }

  int Rename(const std::string& from, const std::string& to) override {
    if (Fails() || FileSystem::Rename(from, to) != 0) return -1;
    Change({{IdOf(Parent(from)), Name(from), {}}, {IdOf(Parent(to)), Name(to), IdOf(to)}});
    return 0;
  }

  int LinkTo(const std::string& target, const std::string& path) override {
    if (Fails() || FileSystem::LinkTo(target, path) != 0) return -1;
    Change({{IdOf(Parent(path)), Name(path), Add(path, Node{.target = target})}});
    return 0;
  }

  int Remove(const std::string& path) override {
    if (Fails() || FileSystem::Remove(path) != 0) return -1;
    Change({{IdOf(Parent(path)), Name(path), {}}});
    return 0;
  }

  int MakeFolder(const std::string& path) override {
    if (Fails() || FileSystem::MakeFolder(path) != 0) return -1;
    Change({{IdOf(Parent(path)), Name(path), Add(path, Node{.is_folder = true})}});
    return 0;
  }

  int RemoveFolder(const std::string& path) override {
    if (Fails() || FileSystem::RemoveFolder(path) != 0) return -1;
    Change({{IdOf(Parent(path)), Name(path), {}}});
    return 0;
  }

 private:
  // A file, link or folder, as it is synced.
  struct Node {
    bool is_folder = false;
    std::string target = {};                    // Of a link.
    std::string bytes = {};                     // Of a file.
    std::map<std::string, int64_t> names = {};  // Of a folder.
  };
  struct Entry {
    int64_t folder;  // -1 outside of root.
    std::string name;
    std::optional<int64_t> node;  // None is no such name.
  };
  using Entries = std::vector<Entry>;  // What one call changes.

  static std::string Parent(const std::string& path) {
    return std::filesystem::path(path).parent_path().string();
  }
  static std::string Name(const std::string& path) {
    return std::filesystem::path(path).filename().string();
  }
  static ino_t Inode(int descriptor) {
    struct stat info = {};
    fstat(descriptor, &info);
    return info.st_ino;
  }
  static ino_t Inode(const std::string& path) {
    struct stat info = {};
    lstat(path.c_str(), &info);
    return info.st_ino;
  }

  // Numbers of inodes come again once their files are gone; those of nodes do not.
  int64_t Add(ino_t inode, Node node) {
    ids_[inode] = static_cast<int64_t>(nodes_.size());
    nodes_.emplace(ids_[inode], std::move(node));
    return ids_[inode];
  }
  int64_t Add(const std::string& path, Node node) { return Add(Inode(path), std::move(node)); }

  // What is there at first is synced.
  void AddEntries(const std::string& path, int64_t folder) {
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      const std::string& name = entry.path();
      Node node;
      if (entry.is_symlink()) {
        node.target = std::filesystem::read_symlink(entry.path()).string();
      } else if (entry.is_directory()) {
        node.is_folder = true;
      } else {
        std::ifstream file(name, std::ios::binary);
        node.bytes.assign(std::istreambuf_iterator<char>(file), {});
      }
      const bool is_folder = node.is_folder;
      const int64_t id = Add(name, std::move(node));
      nodes_.at(folder).names[Name(name)] = id;
      if (is_folder) AddEntries(name, id);
    }
  }

  int64_t IdOf(const std::string& path) const {
    const auto found = ids_.find(Inode(path));
    return found == ids_.end() ? -1 : found->second;
  }

  void Change(Entries entries) { changes_.push_back(std::move(entries)); }

  static void Apply(const Entries& entries, std::map<int64_t, Node>& nodes) {
    for (const Entry& entry : entries) {
      if (entry.folder < 0) continue;
      std::map<std::string, int64_t>& names = nodes.at(entry.folder).names;
      if (entry.node)
        names[entry.name] = *entry.node;
      else
        names.erase(entry.name);
    }
  }

  static void Restore(const std::map<int64_t, Node>& nodes, int64_t id, const std::string& path) {
    const Node& node = nodes.at(id);
    if (!node.target.empty()) return std::filesystem::create_symlink(node.target, path);
    if (!node.is_folder) {
      std::ofstream(path, std::ios::binary) << node.bytes;
      return;
    }
    std::filesystem::create_directories(path);
    for (const auto& [name, child] : node.names) Restore(nodes, child, path + "/" + name);
  }

  void Fail(int first, int last, int error) {
    calls_ = 0;
    first_ = first;
    last_ = last;
    error_ = error;
  }

  bool Fails() {
    ++calls_;
    if (calls_ < first_ || calls_ > last_) return false;
    errno = error_;
    return true;
  }

  FileSystem& before_ = CurrentFileSystem();
  std::map<ino_t, int64_t> ids_;
  std::map<int64_t, Node> nodes_;
  std::vector<Entries> changes_;  // Not synced, in their order.
  int calls_ = 0;
  int first_ = 0;
  int last_ = -1;
  int error_ = 0;
  int64_t root_;
};

}  // namespace seq2seq

#endif  // TESTS_TESTING_FAULTY_FILE_SYSTEM_H_
