#include "seq2seq/kernels/caching_allocator.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <list>
#include <mutex>
#include <new>
#include <unordered_map>

namespace seq2seq {
namespace {

// Smaller blocks are the C library's.
constexpr size_t kLarge = size_t{1} << 18;

// How many times as large as asked for a block may be: batches differ in size, and those of small
// ones reuse the blocks of large ones.
constexpr size_t kMostWaste = 4;

// Freed blocks are cached as long as, together with those in use, they take no more bytes than were
// once in use at the same time: the cache does not raise the peak.
class BlockCache {
 public:
  void* Take(size_t size) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto best = kept_.end();
    for (auto block = kept_.begin(); block != kept_.end(); ++block) {
      const bool fits = block->size >= size && block->size <= kMostWaste * size;
      if (fits && (best == kept_.end() || block->size < best->size)) best = block;
    }
    Block block;
    if (best != kept_.end()) {
      block = *best;
      kept_.erase(best);
      kept_bytes_ -= block.size;
    } else {
      while (!kept_.empty() && used_bytes_ + kept_bytes_ + size > peak_bytes_) Drop();
      block = Map(size);
    }
    used_bytes_ += block.size;
    peak_bytes_ = std::max(peak_bytes_, used_bytes_);
    used_.emplace(block.data, block.size);
    return block.data;
  }

  void Return(void* data) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto block = used_.find(data);
    kept_.push_front({data, block->second});
    kept_bytes_ += block->second;
    used_bytes_ -= block->second;
    used_.erase(block);
  }

 private:
  struct Block {
    void* data = nullptr;
    size_t size = 0;
  };

  static Block Map(size_t size) {
    void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) throw std::bad_alloc();
    constexpr size_t kHugePage = size_t{2} << 20;
    if (size >= 2 * kHugePage) madvise(data, size, MADV_HUGEPAGE);
    return {data, size};
  }

  // Unmaps the least recently freed block.
  void Drop() {
    munmap(kept_.back().data, kept_.back().size);
    kept_bytes_ -= kept_.back().size;
    kept_.pop_back();
  }

  std::mutex mutex_;
  std::list<Block> kept_;  // Most recently freed first.
  std::unordered_map<void*, size_t> used_;
  size_t kept_bytes_ = 0;
  size_t used_bytes_ = 0;
  size_t peak_bytes_ = 0;
};

BlockCache& Cache() {
  static auto* cache = new BlockCache();  // Never destroyed: tensors may outlive main.
  return *cache;
}

// Bytes requested and not yet freed.
std::atomic<size_t> held_bytes = 0;
std::atomic<size_t> most_held_bytes = 0;

void CountTaken(size_t bytes) {
  const size_t held = held_bytes += bytes;
  size_t most = most_held_bytes;
  while (held > most && !most_held_bytes.compare_exchange_weak(most, held)) {
  }
}

}  // namespace

std::shared_ptr<void> AllocateBlock(size_t bytes) {
  if (bytes < kLarge) {
    constexpr size_t kLine = 64;
    void* block = std::aligned_alloc(kLine, (bytes + kLine) / kLine * kLine);
    if (block == nullptr) throw std::bad_alloc();
    CountTaken(bytes);
    return {block, [bytes](void* memory) {
              std::free(memory);
              held_bytes -= bytes;
            }};
  }
  // Four sizes between a power of two and the next, so that similar sizes fit the same blocks.
  // Pages that are never written take no memory.
  size_t step = kLarge / 4;
  while (bytes > 8 * step) step *= 2;
  void* block = Cache().Take((bytes + step - 1) / step * step);
  CountTaken(bytes);
  return {block, [bytes](void* memory) {
            Cache().Return(memory);
            held_bytes -= bytes;
          }};
}

size_t PeakBlockBytes() { return most_held_bytes; }

size_t ResetPeakBlockBytes() { return most_held_bytes = held_bytes.load(); }

}  // namespace seq2seq
