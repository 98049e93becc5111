#include "seq2seq/image/pixel_budget.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace seq2seq {
namespace {

// Pixels that threads hold together at most, which each take 40 of 100, or more than there are.
uint64_t MostHeld(uint64_t pixels) {
  PixelBudget budget;
  std::atomic<uint64_t> held = 0, most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int time = 0; time < 3; ++time) {
        const PixelBudget::Share share(budget, pixels, 100);
        const uint64_t now = held += pixels;
        for (uint64_t before = most; before < now && !most.compare_exchange_weak(before, now);) {
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        held -= pixels;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return most;
}

TEST(PixelBudget, ThreadsWaitForOneAnother) { EXPECT_LE(MostHeld(40), 80u); }

TEST(PixelBudget, WhatIsLargerThanAllComesAlone) { EXPECT_EQ(MostHeld(1000), 1000u); }

}  // namespace
}  // namespace seq2seq
