// Matrices of floats: views and buffers.
#ifndef SEQ2SEQ_KERNELS_MATRIX_H_
#define SEQ2SEQ_KERNELS_MATRIX_H_

#include <cstdint>
#include <memory>

namespace seq2seq {

// Non-owning view of rows at equal distances.
template <typename T>
struct MatrixView {
  T* data = nullptr;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t stride = 0;  // From a row to the next.

  T* row(int64_t index) const { return data + index * stride; }

  MatrixView Rows(int64_t first, int64_t count) const {
    return {data + first * stride, count, columns, stride};
  }

  MatrixView Columns(int64_t first, int64_t count) const {
    return {data + first, rows, count, stride};
  }

  operator MatrixView<const T>() const { return {data, rows, columns, stride}; }
};

using Matrix = MatrixView<float>;
using ConstMatrix = MatrixView<const float>;

// The first `count` rows, and those from `first` on; an empty view stays empty.
template <typename T>
MatrixView<T> First(MatrixView<T> rows, int64_t count) {
  return rows.data == nullptr ? rows : rows.Rows(0, count);
}
template <typename T>
MatrixView<T> Rest(MatrixView<T> rows, int64_t first) {
  return rows.data == nullptr ? rows : rows.Rows(first, rows.rows - first);
}

// A matrix that owns its memory, aligned to cache lines and uninitialised. Copies share it.
class Buffer {
 public:
  Buffer() = default;
  Buffer(int64_t rows, int64_t columns);

  Matrix view() const { return {data_.get(), rows_, columns_, columns_}; }

 private:
  std::shared_ptr<float> data_;
  int64_t rows_ = 0;
  int64_t columns_ = 0;
};

// Sets the values of `matrix` to zero.
void Clear(Matrix matrix);

// Copies, and adds, `from` to `to`, of the same size. One thread.
void Copy(ConstMatrix from, Matrix to);
void Add(ConstMatrix from, Matrix to);

// Multiplies the values of `matrix` by `factor`. One thread.
void Scale(Matrix matrix, float factor);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_MATRIX_H_
