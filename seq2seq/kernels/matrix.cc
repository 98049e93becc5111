#include "seq2seq/kernels/matrix.h"

#include <algorithm>

#include "seq2seq/kernels/caching_allocator.h"

namespace seq2seq {

Buffer::Buffer(int64_t rows, int64_t columns)
    : data_(std::static_pointer_cast<float>(
          AllocateBlock(static_cast<size_t>(rows * columns) * sizeof(float)))),
      rows_(rows),
      columns_(columns) {}

void Clear(Matrix matrix) {
  for (int64_t row = 0; row < matrix.rows; ++row)
    std::fill_n(matrix.row(row), matrix.columns, 0.0f);
}

void Copy(ConstMatrix from, Matrix to) {
  for (int64_t row = 0; row < to.rows; ++row) std::copy_n(from.row(row), to.columns, to.row(row));
}

void Add(ConstMatrix from, Matrix to) {
  for (int64_t row = 0; row < to.rows; ++row) {
    const float* __restrict source = from.row(row);
    float* __restrict sum = to.row(row);
    for (int64_t i = 0; i < to.columns; ++i) sum[i] += source[i];
  }
}

void Scale(Matrix matrix, float factor) {
  for (int64_t row = 0; row < matrix.rows; ++row) {
    float* value = matrix.row(row);
    for (int64_t i = 0; i < matrix.columns; ++i) value[i] *= factor;
  }
}

}  // namespace seq2seq
