#include "seq2seq/kernels/product.h"

#include <algorithm>
#include <cstddef>

#include "seq2seq/kernels/bfloat16.h"
#include "seq2seq/kernels/caching_allocator.h"
#include "seq2seq/kernels/int8.h"
#include "seq2seq/kernels/packing.h"
#include "seq2seq/kernels/parallel.h"
#include "seq2seq/kernels/product_kernel.h"

namespace seq2seq {
namespace {

static_assert(kPanelColumns == 16);

// Block size: rows of the left side, and steps of both, packed and multiplied at once. Its 128 KB
// fit into a second-level cache.
constexpr int64_t kBlockRows = 120;
constexpr int64_t kBlockSteps = 256;

// Rows of memory that are read in turn; their pages stay in the first-level TLB.
constexpr int64_t kStepsAtOnce = 32;

// Fewest multiplications that are worth another thread.
constexpr int64_t kWorkOfThread = 1 << 18;

// Values in a unit of 32 bits.
int64_t ValuesOf(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return 1;
    case Precision::kBf16:
      return 2;
    case Precision::kInt8:
      return 4;
  }
  return 1;
}

int64_t StepsOf(int64_t inner, Precision precision) {
  const int64_t values = ValuesOf(precision);
  return (inner + values - 1) / values;
}

ProductKernel KernelOf(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return Fp32Kernel();
    case Precision::kBf16:
      return Bf16Kernel();
    case Precision::kInt8:
      return Int8Kernel();
  }
  return {};
}

std::shared_ptr<uint32_t> AllocateUnits(int64_t units) {
  return std::static_pointer_cast<uint32_t>(
      AllocateBlock(static_cast<size_t>(units) * sizeof(uint32_t)));
}

// Buffer of this thread for a block of the left side, reused by the next product.
uint32_t* LeftBlock(int64_t units) {
  thread_local std::shared_ptr<uint32_t> memory;
  thread_local int64_t size = 0;
  if (units > size) {
    memory = AllocateUnits(units);
    size = units;
  }
  return memory.get();
}

// The left side of a product, [m, k], or the transpose of one, [k, m].
struct Left {
  const Operand& operand;
  bool transposed;

  int64_t rows() const { return transposed ? operand.columns() : operand.rows(); }
  int64_t inner() const { return transposed ? operand.rows() : operand.columns(); }

  // Packs a tile: `rows` rows from `row` on, `steps` steps from `step` on.
  void Pack(int64_t row, int64_t rows, int64_t step, int64_t steps, uint32_t flip,
            uint32_t* packed) const {
    const int64_t stride = operand.stride();
    if (!transposed) {
      const int64_t units = stride / ValuesOf(operand.precision());
      PackRows(static_cast<const uint32_t*>(operand.data()) + row * units + step, units, rows,
               steps, rows, flip, packed);
    } else if (operand.precision() == Precision::kBf16) {
      PackPairsOfColumns(static_cast<const uint16_t*>(operand.data()) + 2 * step * stride + row,
                         stride, rows, std::min(2 * steps, inner() - 2 * step), rows, packed);
    } else {
      PackColumns(static_cast<const float*>(operand.data()) + step * stride + row, stride, rows,
                  steps, rows, packed);
    }
  }
};

// A product whose right side is packed.
struct Product {
  Left left;
  const PackedMatrix& right;
  Matrix c;
  const float* bias;
  bool add;

  // Computes the rows and panels of a range, block by block.
  void Compute(int64_t begin, int64_t end, int64_t first_panel, int64_t last_panel) const {
    const ProductKernel kernel = KernelOf(right.precision());
    const bool whole = right.precision() == Precision::kInt8;  // Integer sums are scaled once.
    const int64_t steps = whole ? right.steps() : std::min(kBlockSteps, right.steps());
    uint32_t* packed = LeftBlock(std::min(kBlockRows, end - begin) * steps);
    for (int64_t row = begin; row < end; row += kBlockRows) {
      const int64_t rows = std::min(kBlockRows, end - row);
      for (int64_t step = 0; step < right.steps(); step += steps) {
        const int64_t count = std::min(steps, right.steps() - step);
        PackLeft(row, rows, step, count, kernel, packed);
        const int64_t column = first_panel * kPanelColumns;
        const bool later = step > 0;
        kernel.multiply(
            {.left = packed,
             .rows = rows,
             .right = right.panel(first_panel) + step * kPanelColumns,
             .panels = last_panel - first_panel,
             .panel_units = right.steps() * kPanelColumns,
             .steps = count,
             .out = {.c = c.row(row) + column,
                     .stride = c.stride,
                     .columns = std::min(c.columns, last_panel * kPanelColumns) - column,
                     .add = add || later,
                     .bias = bias == nullptr || later ? nullptr : bias + column,
                     .row_scales = whole ? left.operand.scales() + row : nullptr,
                     .column_scales = whole ? right.scales() + column : nullptr,
                     .offsets = whole ? right.offsets() + column : nullptr}});
      }
    }
  }

  void PackLeft(int64_t row, int64_t rows, int64_t step, int64_t steps, const ProductKernel& kernel,
                uint32_t* packed) const {
    const TileRows tiles(rows, kernel.max_rows);
    // The steps of a transposed side lie far apart: all tiles are packed from some of them.
    const int64_t at_once = left.transposed ? kStepsAtOnce : steps;
    for (int64_t first = 0; first < steps; first += at_once) {
      const int64_t some = std::min(at_once, steps - first);
      int64_t begin = 0;
      for (int64_t tile = 0; tile < tiles.tiles; ++tile) {
        const int64_t count = tiles.of(tile);
        left.Pack(row + begin, count, step + first, some, kernel.flip,
                  packed + begin * steps + first * count);
        begin += count;
      }
    }
  }

  // Many rows are divided among the threads, which share the panels; for few rows, the panels are.
  void Run() const {
    if (c.rows == 0 || c.columns == 0) return;
    const int64_t work_of_row = c.columns * left.inner();
    if (c.rows >= kBlockRows * ParallelThreads()) {
      ParallelRanges(c.rows, 1 + kWorkOfThread / (work_of_row + 1),
                     [&](int64_t begin, int64_t end) { Compute(begin, end, 0, right.panels()); });
    } else {
      const int64_t work_of_panel = kPanelColumns * left.inner() * c.rows;
      ParallelRanges(right.panels(), 1 + kWorkOfThread / (work_of_panel + 1),
                     [&](int64_t begin, int64_t end) { Compute(0, c.rows, begin, end); });
    }
  }
};

// Calls pack(panel, first column, columns) for each panel of a matrix of `steps`, on all threads.
void ForPanels(int64_t panels, int64_t steps, int64_t columns,
               absl::FunctionRef<void(int64_t panel, int64_t column, int64_t count)> pack) {
  ParallelRanges(panels, 1 + kWorkOfThread / 16 / (steps + 1), [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      const int64_t column = panel * kPanelColumns;
      pack(panel, column, std::min(kPanelColumns, columns - column));
    }
  });
}

}  // namespace

bool SupportsProducts(Precision precision) { return KernelOf(precision).multiply != nullptr; }

Operand::Operand(ConstMatrix matrix, Precision precision)
    : data_(matrix.data),
      rows_(matrix.rows),
      columns_(matrix.columns),
      stride_(matrix.stride),
      precision_(precision) {
  if (precision == Precision::kFp32) return;
  const int64_t values = ValuesOf(precision);
  stride_ = StepsOf(columns_, precision) * values;
  copy_ = AllocateBlock(static_cast<size_t>(rows_ * stride_) * sizeof(uint32_t) /
                        static_cast<size_t>(values));
  data_ = copy_.get();
  if (precision == Precision::kBf16) {
    RoundToBfloat16(matrix, static_cast<uint16_t*>(copy_.get()), stride_);
  } else {
    scales_ = std::make_shared<float[]>(static_cast<size_t>(rows_));
    RoundToInt8(matrix, static_cast<int8_t*>(copy_.get()), stride_, scales_.get());
  }
}

PackedMatrix::PackedMatrix(int64_t rows, int64_t columns, Precision precision)
    : rows_(rows),
      columns_(columns),
      steps_(StepsOf(rows, precision)),
      panels_((columns + kPanelColumns - 1) / kPanelColumns),
      precision_(precision),
      data_(AllocateUnits(panels_ * steps_ * kPanelColumns)) {}

int64_t PackedMatrix::bytes() const {
  return panels_ * steps_ * kPanelColumns * static_cast<int64_t>(sizeof(uint32_t));
}

PackedMatrix PackedMatrix::Pack(ConstMatrix values, Precision precision) {
  if (precision == Precision::kInt8) {
    const Buffer transposed(values.columns, values.rows);
    for (int64_t row = 0; row < values.rows; ++row) {
      for (int64_t i = 0; i < values.columns; ++i) {
        transposed.view().row(i)[row] = values.row(row)[i];
      }
    }
    return PackTransposed(transposed.view(), precision);
  }
  return Pack(Operand(values, precision));
}

PackedMatrix PackedMatrix::Pack(const Operand& values) {
  PackedMatrix packed(values.rows(), values.columns(), values.precision());
  const int64_t stride = values.stride();
  ForPanels(packed.panels_, packed.steps_, packed.columns_,
            [&](int64_t panel, int64_t column, int64_t count) {
              if (values.precision() == Precision::kBf16) {
                PackPairsOfColumns(static_cast<const uint16_t*>(values.data()) + column, stride,
                                   count, packed.rows_, kPanelColumns, packed.MutablePanel(panel));
              } else {
                PackColumns(static_cast<const float*>(values.data()) + column, stride, count,
                            packed.steps_, kPanelColumns, packed.MutablePanel(panel));
              }
            });
  return packed;
}

PackedMatrix PackedMatrix::PackTransposed(ConstMatrix values, Precision precision) {
  const Operand rounded(values, precision);
  PackedMatrix packed(values.columns, values.rows, precision);
  const int64_t stride = rounded.stride() / ValuesOf(precision);
  ForPanels(packed.panels_, packed.steps_, packed.columns_,
            [&](int64_t panel, int64_t column, int64_t count) {
              PackRows(static_cast<const uint32_t*>(rounded.data()) + column * stride, stride,
                       count, packed.steps_, kPanelColumns, 0, packed.MutablePanel(panel));
            });
  if (precision != Precision::kInt8) return packed;
  packed.scales_ = rounded.scales_;
  packed.offsets_ =
      std::make_shared<int32_t[]>(static_cast<size_t>(packed.panels_ * kPanelColumns));
  for (int64_t column = 0; column < values.rows; ++column) {
    const auto* numbers = static_cast<const int8_t*>(rounded.data()) + column * rounded.stride();
    int32_t sum = 0;
    for (int64_t i = 0; i < values.columns; ++i) sum += numbers[i];
    packed.offsets_[static_cast<size_t>(column)] = -128 * sum;
  }
  return packed;
}

void Multiply(const Operand& a, const PackedMatrix& b, Matrix c, const float* bias) {
  Product{{a, false}, b, c, bias, /*add=*/false}.Run();
}

void Multiply(ConstMatrix a, const PackedMatrix& b, Matrix c, const float* bias) {
  Multiply(Operand(a, b.precision()), b, c, bias);
}

void MultiplyAdd(const Operand& a, const PackedMatrix& b, Matrix c) {
  Product{{a, false}, b, c, nullptr, /*add=*/true}.Run();
}

void MultiplyAdd(ConstMatrix a, const PackedMatrix& b, Matrix c) {
  MultiplyAdd(Operand(a, b.precision()), b, c);
}

void MultiplyTransposed(const Operand& a, const Operand& b, Matrix c) {
  Product{{a, true}, PackedMatrix::Pack(b), c, nullptr, /*add=*/false}.Run();
}

void MultiplyTransposedAdd(const Operand& a, const Operand& b, Matrix c) {
  Product{{a, true}, PackedMatrix::Pack(b), c, nullptr, /*add=*/true}.Run();
}

}  // namespace seq2seq
