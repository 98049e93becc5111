// Random matrices for tests.
#ifndef TESTS_KERNELS_NUMBERS_H_
#define TESTS_KERNELS_NUMBERS_H_

#include <cstdint>
#include <vector>

#include "seq2seq/base/random.h"
#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// Random numbers in [-1, 1).
inline std::vector<float> Numbers(int64_t count, uint64_t seed) {
  std::vector<float> numbers;
  for (int64_t i = 0; i < count; ++i) {
    seed = Mix(seed);
    numbers.push_back(static_cast<float>(static_cast<double>(seed >> 11) * 0x1p-52 - 1));
  }
  return numbers;
}

// A matrix of random numbers.
struct RandomMatrix {
  RandomMatrix(int64_t rows, int64_t columns, uint64_t seed)
      : buffer(rows, columns), view(buffer.view()) {
    const std::vector<float> numbers = Numbers(rows * columns, seed);
    for (size_t i = 0; i < numbers.size(); ++i) view.data[i] = numbers[i];
  }

  Buffer buffer;
  Matrix view;
};

}  // namespace seq2seq

#endif  // TESTS_KERNELS_NUMBERS_H_
