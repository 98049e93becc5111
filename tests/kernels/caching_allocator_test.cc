#include "seq2seq/kernels/caching_allocator.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace seq2seq {
namespace {

constexpr size_t kMegabyte = size_t{1} << 20;

TEST(AllocateBlock, GivesALetGoBlockToTheNextOfAboutItsSize) {
  std::shared_ptr<void> first = AllocateBlock(5 * kMegabyte);
  void* const place = first.get();
  std::memset(place, 1, 5 * kMegabyte);
  first.reset();
  EXPECT_EQ(AllocateBlock(5 * kMegabyte - 1000).get(), place);
}

TEST(AllocateBlock, BlocksInUseAreApartAndAligned) {
  std::vector<std::shared_ptr<void>> blocks;
  for (const size_t size : {size_t{1}, size_t{100}, kMegabyte / 4, kMegabyte, 3 * kMegabyte}) {
    for (int i = 0; i < 3; ++i) {
      blocks.push_back(AllocateBlock(size));
      EXPECT_EQ(reinterpret_cast<uintptr_t>(blocks.back().get()) % 64, 0u);
      std::memset(blocks.back().get(), static_cast<int>(blocks.size()), size);
    }
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(*static_cast<unsigned char*>(blocks[i].get()), i + 1);
  }
}

TEST(AllocateBlock, IsThreadSafe) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (size_t i = 0; i < 200; ++i) {
        const auto block = AllocateBlock(kMegabyte / 2 + i % 7 * kMegabyte / 4);
        auto* bytes = static_cast<char*>(block.get());
        bytes[0] = static_cast<char>(t);
        EXPECT_EQ(bytes[0], static_cast<char>(t));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace seq2seq
