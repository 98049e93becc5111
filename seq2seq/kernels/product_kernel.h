// Micro-kernels of matrix products: tiles of packed rows times panels of packed columns.
#ifndef SEQ2SEQ_KERNELS_PRODUCT_KERNEL_H_
#define SEQ2SEQ_KERNELS_PRODUCT_KERNEL_H_

#include <cstdint>

namespace seq2seq {

// Columns of a panel, the same on every processor, and so are packed matrices.
inline constexpr int64_t kPanelColumns = 16;

// Output of a block of a product: c = sums (+ bias) (+ c), int8 sums times the scales of their row
// and column. Pointers that do not apply are null.
struct ProductOutput {
  float* c = nullptr;                    // [rows, columns]
  int64_t stride = 0;                    // From a row of c to the next.
  int64_t columns = 0;                   // The last panel may be wider.
  bool add = false;                      // Whether c is added.
  const float* bias = nullptr;           // [columns]
  const float* row_scales = nullptr;     // [rows]
  const float* column_scales = nullptr;  // [columns]
  const int32_t* offsets = nullptr;      // [columns], of whole panels; start of integer sums.
};

// A block of a product. A unit is 32 bits of a row or column, along the inner dimension: a float,
// two bfloat16 or four int8; a step is a unit of each row and column.
struct ProductBlock {
  const uint32_t* left;  // Tiles of rows, one after the other, each [step, row].
  int64_t rows;
  const uint32_t* right;  // Panels of columns, each [step, kPanelColumns].
  int64_t panels;
  int64_t panel_units;  // From a panel to the next.
  int64_t steps;
  ProductOutput out;
};

// Micro-kernel of one number format on this processor. Each sum is taken in the order of the steps,
// whatever the number of rows and threads and the width of the vectors.
struct ProductKernel {
  void (*multiply)(const ProductBlock& block) = nullptr;
  int64_t max_rows = 0;  // Of a tile.
  uint32_t flip = 0;     // Bits of each unit of the left side to be inverted in packing.
};

// The kernels of the current instruction set. That of bf16 is null where the processor has no bf16
// dot products.
ProductKernel Fp32Kernel();
ProductKernel Bf16Kernel();
ProductKernel Int8Kernel();

// Division of `rows` into tiles of at most `max_rows`, as evenly as possible.
struct TileRows {
  TileRows(int64_t rows, int64_t max_rows)
      : tiles((rows + max_rows - 1) / max_rows), least(rows / tiles), larger(rows % tiles) {}
  int64_t of(int64_t tile) const { return least + (tile < larger ? 1 : 0); }

  int64_t tiles, least, larger;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_PRODUCT_KERNEL_H_
