#include "seq2seq/inference/positions.h"

#include <cmath>

namespace seq2seq {

void SinusoidalPositions(int64_t first, Matrix rows) {
  for (int64_t j = 0; 2 * j < rows.columns; ++j) {
    const double frequency =
        std::pow(10000.0, -2.0 * static_cast<double>(j) / static_cast<double>(rows.columns));
    for (int64_t i = 0; i < rows.rows; ++i) {
      const double angle = static_cast<double>(first + i) * frequency;
      rows.row(i)[2 * j] = static_cast<float>(std::sin(angle));
      if (2 * j + 1 < rows.columns) rows.row(i)[2 * j + 1] = static_cast<float>(std::cos(angle));
    }
  }
}

}  // namespace seq2seq
