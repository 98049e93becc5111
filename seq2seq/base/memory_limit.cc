#include "seq2seq/base/memory_limit.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace seq2seq {
namespace {

constexpr int64_t kNone = std::numeric_limits<int64_t>::max();

// The number in a file of one line; kNone where there is none, as for "max".
int64_t ReadBytes(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  int64_t bytes = 0;
  return std::getline(file, line) && absl::SimpleAtoi(line, &bytes) && bytes > 0 ? bytes : kNone;
}

// The limit of a control group and its ancestors. `group` is its path below `hierarchy`, which, in
// a container, may have the group itself at its root instead.
int64_t GroupLimit(const std::string& hierarchy, std::string group, const std::string& file) {
  int64_t limit = ReadBytes(absl::StrCat(hierarchy, "/", file));
  while (!group.empty()) {
    limit = std::min(limit, ReadBytes(absl::StrCat(hierarchy, group, "/", file)));
    group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
  return limit;
}

// The limit of the groups in /proc/self/cgroup, lines of "number:controllers:path".
int64_t GroupsLimit(const std::string& root) {
  int64_t limit = kNone;
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    if (parts[1].empty()) {  // Version 2.
      limit = std::min(limit, GroupLimit(root + "/sys/fs/cgroup", parts[2], "memory.max"));
    } else if (absl::StrContains("," + parts[1] + ",", ",memory,")) {
      limit = std::min(
          limit, GroupLimit(root + "/sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes"));
    }
  }
  return limit;
}

int64_t MachineMemory(const std::string& root) {
  std::ifstream info(root + "/proc/meminfo");
  for (std::string line; std::getline(info, line);) {
    absl::string_view rest = line;
    int64_t kilobytes = 0;
    if (absl::ConsumePrefix(&rest, "MemTotal:") && absl::ConsumeSuffix(&rest, "kB") &&
        absl::SimpleAtoi(rest, &kilobytes)) {
      return kilobytes * 1024;
    }
  }
  return kNone;
}

}  // namespace

int64_t MemoryLimit(const std::string& root) {
  const int64_t limit = std::min(GroupsLimit(root), MachineMemory(root));
  return limit == kNone ? 0 : limit;
}

}  // namespace seq2seq
