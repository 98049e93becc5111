#include "seq2seq/base/memory_limit.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

namespace fs = std::filesystem;

class MemoryLimitOf : public ::testing::Test {
 protected:
  MemoryLimitOf() { Write("proc/meminfo", "MemTotal:       24000000 kB\nMemFree: 1 kB\n"); }

  void Write(const std::string& file, const std::string& text) {
    const fs::path path = fs::path(folder_ / file);
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  int64_t Limit() const { return MemoryLimit(folder_.path()); }

  const TemporaryFolder folder_;
};

constexpr int64_t kMachine = int64_t{24'000'000} * 1024;

TEST_F(MemoryLimitOf, AMachineIsWhatItHas) {
  EXPECT_EQ(Limit(), kMachine);
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/memory.max", "max\n");
  EXPECT_EQ(Limit(), kMachine);
}

TEST_F(MemoryLimitOf, AGroupIsTheLeastOfThoseThatItLiesIn) {
  Write("proc/self/cgroup", "0::/user/job\n");
  Write("sys/fs/cgroup/user/job/memory.max", "3000000000\n");
  EXPECT_EQ(Limit(), 3'000'000'000);
  Write("sys/fs/cgroup/user/memory.max", "2000000000\n");
  EXPECT_EQ(Limit(), 2'000'000'000);
  Write("sys/fs/cgroup/user/memory.max", "max\n");
  EXPECT_EQ(Limit(), 3'000'000'000);
}

TEST_F(MemoryLimitOf, AContainerThatSeesItsGroupAtTheTop) {
  Write("proc/self/cgroup", "0::/docker/4f2a\n");
  Write("sys/fs/cgroup/memory.max", "536870912\n");
  EXPECT_EQ(Limit(), 536'870'912);
}

TEST_F(MemoryLimitOf, AGroupOfVersionOne) {
  Write("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/a/b\n");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  Write("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "1000000000\n");
  EXPECT_EQ(Limit(), 1'000'000'000);
}

TEST_F(MemoryLimitOf, ASystemThatTellsNothingIsZero) {
  Write("proc/meminfo", "");
  EXPECT_EQ(Limit(), 0);
}

TEST(MemoryLimit, OfThisMachineIsKnown) { EXPECT_GT(MemoryLimit(), 1 << 20); }

}  // namespace
}  // namespace seq2seq
