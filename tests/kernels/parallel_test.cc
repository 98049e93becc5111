#include "seq2seq/kernels/parallel.h"

#include <omp.h>

#include <cstdint>
#include <new>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace seq2seq {
namespace {

class Parallel : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { omp_set_num_threads(GetParam()); }
  void TearDown() override { omp_set_num_threads(1); }
};

TEST_P(Parallel, RunsEveryTaskOnce) {
  std::vector<int> runs(100, 0);
  ParallelFor(100, [&](int64_t task) { ++runs[static_cast<size_t>(task)]; });
  EXPECT_EQ(runs, std::vector<int>(100, 1));
}

TEST_P(Parallel, RangesCoverEverythingOnce) {
  for (const int64_t size : {0, 1, 5, 100}) {
    std::vector<int> runs(static_cast<size_t>(size), 0);
    ParallelRanges(size, 4, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++runs[static_cast<size_t>(i)];
    });
    EXPECT_EQ(runs, std::vector<int>(static_cast<size_t>(size), 1));
  }
}

TEST_P(Parallel, ThrowsOnWhatATaskThrows) {
  EXPECT_THROW(ParallelFor(8,
                           [](int64_t task) {
                             if (task == 5) throw std::bad_alloc();
                           }),
               std::bad_alloc);
}

TEST_P(Parallel, TasksHaveOneThread) {
  ParallelFor(4, [&](int64_t) { EXPECT_EQ(ParallelThreads(), 1); });
  EXPECT_EQ(ParallelThreads(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Threads, Parallel, testing::Values(2, 3));

TEST(ParallelThreads, SettingHoldsForThreadsToCome) {
  SetParallelThreads(3);
  int found = 0;
  std::thread([&] { found = ParallelThreads(); }).join();
  EXPECT_EQ(found, 3);
  ParallelFor(2, [](int64_t) { EXPECT_EQ(ParallelThreads(), 1); });
  SetParallelThreads(0);
  omp_set_num_threads(2);
  EXPECT_EQ(ParallelThreads(), 2);
}

}  // namespace
}  // namespace seq2seq
