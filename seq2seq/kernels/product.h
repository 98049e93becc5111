// Matrix products with packed right sides, in fp32, bf16 and int8.
#ifndef SEQ2SEQ_KERNELS_PRODUCT_H_
#define SEQ2SEQ_KERNELS_PRODUCT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// Precision of matrix products; all else stays fp32. bf16 keeps the range of fp32 and 8 bits of its
// precision, is up to twice as fast where the processor supports it, and accumulates in fp32. int8
// quantises the packed matrix with a scale per column, and the left side, dynamically, with a scale
// per row; its sums are exact, and the same on every processor. int8 has no MultiplyTransposed.
enum class Precision { kFp32, kBf16, kInt8 };

inline std::vector<std::string> EnumTexts(Precision) { return {"fp32", "bf16", "int8"}; }

// Whether this processor supports products in `precision`: always true for fp32 and int8.
bool SupportsProducts(Precision precision);

// The left side of products: in fp32 a view of the matrix, else a converted copy, worth keeping
// where several products share it.
class Operand {
 public:
  Operand(ConstMatrix matrix, Precision precision);

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  Precision precision() const { return precision_; }
  const void* data() const { return data_; }
  int64_t stride() const { return stride_; }             // From a row to the next, in values.
  const float* scales() const { return scales_.get(); }  // [rows], of int8.

 private:
  const void* data_;
  int64_t rows_;
  int64_t columns_;
  int64_t stride_;
  Precision precision_;
  std::shared_ptr<void> copy_;
  std::shared_ptr<float[]> scales_;

  friend class PackedMatrix;  // Shares the scales.
};

// The right side of many products, packed once in the order in which the products read it: panels
// of 16 columns, the same on every processor. A value; copies share memory.
class PackedMatrix {
 public:
  PackedMatrix() = default;

  // Packs `values`, or its transpose, in one pass over it. bf16 only where it is supported.
  static PackedMatrix Pack(ConstMatrix values, Precision precision);
  static PackedMatrix PackTransposed(ConstMatrix values, Precision precision);
  static PackedMatrix Pack(const Operand& values);  // Not of int8.

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  Precision precision() const { return precision_; }

  // Steps of a panel: one 32-bit unit per column, of one fp32, two bf16 or four int8 values.
  int64_t steps() const { return steps_; }
  int64_t panels() const { return panels_; }
  const uint32_t* panel(int64_t index) const { return data_.get() + index * steps_ * 16; }

  const float* scales() const { return scales_.get(); }      // [columns], of int8.
  const int32_t* offsets() const { return offsets_.get(); }  // [panels x 16], -128 x sum, of int8.

  // Bytes of the packed values.
  int64_t bytes() const;

 private:
  PackedMatrix(int64_t rows, int64_t columns, Precision precision);
  uint32_t* MutablePanel(int64_t index) { return data_.get() + index * steps_ * 16; }

  int64_t rows_ = 0;
  int64_t columns_ = 0;
  int64_t steps_ = 0;
  int64_t panels_ = 0;
  Precision precision_ = Precision::kFp32;
  std::shared_ptr<uint32_t> data_;
  std::shared_ptr<float[]> scales_;
  std::shared_ptr<int32_t[]> offsets_;
};

// c = a b, each row plus `bias` unless that is null; a [m, k], b [k, n], c [m, n], bias [n].
//
// Uses all threads, or one when called from within ParallelFor. Both sides have the precision of
// `b`. Each element of c is summed in the order of k, so that it depends neither on the other rows,
// nor on the number of threads, nor, with FMA, on the width of the processor's vectors. All
// functions here are thread-safe.
void Multiply(const Operand& a, const PackedMatrix& b, Matrix c, const float* bias = nullptr);
void Multiply(ConstMatrix a, const PackedMatrix& b, Matrix c, const float* bias = nullptr);

// c += a b.
void MultiplyAdd(const Operand& a, const PackedMatrix& b, Matrix c);
void MultiplyAdd(ConstMatrix a, const PackedMatrix& b, Matrix c);

// c = a' b, the gradient of a weight when a, [k, m], are the gradients of k outputs and b, [k, n],
// the inputs: c [m, n]. Not in int8.
void MultiplyTransposed(const Operand& a, const Operand& b, Matrix c);

// c += a' b.
void MultiplyTransposedAdd(const Operand& a, const Operand& b, Matrix c);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_PRODUCT_H_
