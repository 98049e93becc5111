// Random numbers as pure functions of seed and use, so that a resumed run repeats them.
#ifndef SEQ2SEQ_BASE_RANDOM_H_
#define SEQ2SEQ_BASE_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace seq2seq {

// One step of SplitMix64 (Steele et al. 2014): a good 64-bit hash of `value`.
inline uint64_t Mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

// The seed of the use that `parts` identify, such as {seed, epoch}.
inline uint64_t DeriveSeed(std::initializer_list<uint64_t> parts) {
  uint64_t seed = 0;
  for (const uint64_t part : parts) seed = Mix(seed ^ Mix(part));
  return seed;
}

// Shuffles `items`. The order is the same for the same seed on every platform, unlike that of
// std::shuffle.
template <typename T>
void Shuffle(std::vector<T>& items, uint64_t seed) {
  for (size_t i = items.size(); i > 1; --i) {
    seed = Mix(seed);
    std::swap(items[i - 1], items[seed % i]);
  }
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_BASE_RANDOM_H_
