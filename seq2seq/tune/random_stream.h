// Stream of pseudo-random numbers, the same for the same seed on every platform.
#ifndef SEQ2SEQ_TUNE_RANDOM_STREAM_H_
#define SEQ2SEQ_TUNE_RANDOM_STREAM_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "seq2seq/base/random.h"

namespace seq2seq {

class RandomStream {
 public:
  explicit RandomStream(uint64_t seed) : state_(seed) {}

  // Uniform over all values.
  uint64_t Next() {
    const uint64_t value = Mix(state_);
    state_ += 0x9e3779b97f4a7c15;
    return value;
  }

  // Uniform from 0, included, to 1, not included.
  double Uniform() { return std::ldexp(static_cast<double>(Next() >> 11), -53); }

  // Uniform from 0 to count - 1.
  size_t Below(size_t count) { return static_cast<size_t>(Uniform() * static_cast<double>(count)); }

  // Standard normal (Box & Muller 1958).
  double Normal() {
    constexpr double kTwoPi = 6.283185307179586;
    const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
    return radius * std::cos(kTwoPi * Uniform());
  }

 private:
  uint64_t state_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TUNE_RANDOM_STREAM_H_
