// Matrix products at the rate of the machine.
#ifndef SEQ2SEQ_KERNELS_MATRIX_H_
#define SEQ2SEQ_KERNELS_MATRIX_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace seq2seq {

// What matrix products compute with; all else stays fp32. bf16 keeps the range of fp32 and 8 bits
// of its precision, is twice as fast where the processor has it, and sums up in fp32. int8 rounds
// the packed matrix to 8 bits with a scale for each of its columns, and each row on the left, as it
// comes, with a scale of its own; it sums up exactly. It has no products of two gradients.
enum class Precision { kFp32, kBf16, kInt8 };

inline std::vector<std::string> EnumTexts(Precision) { return {"fp32", "bf16", "int8"}; }

// Rows of floats at equal distances, which somebody else owns.
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

// A matrix of its own, aligned to cache lines; its values are undefined until they are written.
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

// The right side of many products, laid out once in the order in which the products read it. A
// value; copies share memory.
class PackedMatrix {
 public:
  PackedMatrix() = default;

  // `values`, or its transpose. Costs one pass over them.
  static PackedMatrix Pack(ConstMatrix values, Precision precision);
  static PackedMatrix PackTransposed(ConstMatrix values, Precision precision);

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  Precision precision() const { return precision_; }
  const void* data() const { return data_.get(); }
  const float* scales() const { return scales_.get(); }  // [columns], of int8.

 private:
  PackedMatrix(int64_t rows, int64_t columns, Precision precision);

  int64_t rows_ = 0;
  int64_t columns_ = 0;
  Precision precision_ = Precision::kFp32;
  std::shared_ptr<void> data_;
  std::shared_ptr<float[]> scales_;
};

// Whether this machine computes products with `precision`.
bool SupportsProducts(Precision precision);

// The left side of products: in fp32 the matrix itself, unless there are gaps between its rows;
// else a copy as the products read it, worth keeping where several products share it.
class Operand {
 public:
  Operand(ConstMatrix matrix, Precision precision);

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  Precision precision() const { return precision_; }
  const void* data() const { return data_; }
  const float* scales() const { return scales_.get(); }  // [rows], of int8.

 private:
  const void* data_;
  int64_t rows_;
  int64_t columns_;
  Precision precision_;
  std::shared_ptr<void> copy_;
  std::shared_ptr<float[]> scales_;
};

// c = a b, each row plus `bias` unless that is null; a [m, k], b [k, n], c [m, n], bias [n].
//
// Uses all threads, or one when called from within ParallelFor. Both sides have the precision of
// `b`. The first call of a shape costs
// about a millisecond more; a thousand shapes are remembered. All functions here are thread-safe.
void Multiply(const Operand& a, const PackedMatrix& b, Matrix c, const float* bias = nullptr);
void Multiply(ConstMatrix a, const PackedMatrix& b, Matrix c, const float* bias = nullptr);

// c += a b.
void MultiplyAdd(const Operand& a, const PackedMatrix& b, Matrix c);
void MultiplyAdd(ConstMatrix a, const PackedMatrix& b, Matrix c);

// c = a' b, the gradient of a weight when a, [k, m], are the gradients of k outputs and b, [k, n],
// the inputs: c [m, n].
void MultiplyTransposed(const Operand& a, const Operand& b, Matrix c);

// c += a' b.
void MultiplyTransposedAdd(const Operand& a, const Operand& b, Matrix c);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_MATRIX_H_
