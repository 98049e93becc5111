// Micro-kernel of matrix products. Without include guard: included once for each instruction set
// and number format, within a namespace of its own that has defined `Lanes`:
//
//   struct Lanes {
//     static constexpr int kLanes;                     // Sums in a vector.
//     static constexpr int kRegisters;                 // Vectors of sums that registers hold.
//     static Sum Start(const int32_t* offsets);        // Zeros, or the offsets.
//     static Unit Load(const uint32_t* units);
//     static Unit Broadcast(uint32_t unit);            // A unit of the left side, to all lanes.
//     static Sum Add(Sum sum, Unit left, Unit right);  // Adds each lane's products.
//     static FloatVector ToFloat(Sum sum, const float* column_scales, float row_scale);
//   };
//
// The sums of a tile of rows times some panels stay in registers over all steps, as in BLIS (Van
// Zee and van de Geijn 2015).

constexpr int kVectors = kPanelColumns / Lanes::kLanes;  // Of a panel.
constexpr int kMaxRows = HWY_MAX(1, HWY_MIN(8, Lanes::kRegisters / kVectors));
constexpr int kMaxPanels = 4;

// Panels per tile of `rows`: more for few rows, to hide the latency of the sums.
constexpr int PanelsFor(int rows) {
  return HWY_MAX(1, HWY_MIN(kMaxPanels, Lanes::kRegisters / (kVectors * rows)));
}

// Writes a vector of sums, scaled, plus bias and previous values; null pointers do not apply.
template <class Sum>
HWY_INLINE void WriteVector(Sum sum, const float* before, const float* bias,
                            const float* column_scales, float row_scale, float* to) {
  const hn::FixedTag<float, Lanes::kLanes> d;
  auto value = Lanes::ToFloat(sum, column_scales, row_scale);
  if (bias != nullptr) value = hn::Add(value, hn::LoadU(d, bias));
  if (before != nullptr) value = hn::Add(value, hn::LoadU(d, before));
  hn::StoreU(value, d, to);
}

// The same for a partial vector at the end of a row, through whole ones.
template <class Sum>
HWY_NOINLINE void WriteEnd(Sum sum, const ProductOutput& out, int64_t row, int64_t column,
                           float row_scale) {
  float* c = out.c + row * out.stride + column;
  const auto bytes = static_cast<size_t>(out.columns - column) * sizeof(float);
  float before[Lanes::kLanes] = {}, bias[Lanes::kLanes] = {}, scales[Lanes::kLanes] = {};
  float values[Lanes::kLanes];
  if (out.add) std::memcpy(before, c, bytes);
  if (out.bias != nullptr) std::memcpy(bias, out.bias + column, bytes);
  if (out.column_scales != nullptr) std::memcpy(scales, out.column_scales + column, bytes);
  WriteVector(sum, out.add ? before : nullptr, out.bias == nullptr ? nullptr : bias, scales,
              row_scale, values);
  std::memcpy(c, values, bytes);
}

// Writes a vector of sums to row `row` and the columns from `column` on.
template <class Sum>
HWY_INLINE void Write(Sum sum, const ProductOutput& out, int64_t row, int64_t column) {
  const float row_scale = out.row_scales == nullptr ? 1.0f : out.row_scales[row];
  if (column + Lanes::kLanes <= out.columns) {
    float* c = out.c + row * out.stride + column;
    WriteVector(sum, out.add ? c : nullptr, out.bias == nullptr ? nullptr : out.bias + column,
                out.column_scales == nullptr ? nullptr : out.column_scales + column, row_scale, c);
  } else if (column < out.columns) {
    WriteEnd(sum, out, row, column, row_scale);
  }
}

template <int kRows, int kPanels>
void MultiplyTile(const uint32_t* HWY_RESTRICT left, const uint32_t* HWY_RESTRICT right,
                  int64_t panel_units, int64_t steps, const ProductOutput& out, int64_t row,
                  int64_t column) {
  constexpr int kColumns = kPanels * kVectors;
  using Sum = decltype(Lanes::Start(nullptr));
  using Unit = decltype(Lanes::Load(nullptr));
  Sum sums[kRows][kColumns];
  SEQ2SEQ_UNROLL
  for (int v = 0; v < kColumns; ++v) {
    const auto start =
        Lanes::Start(out.offsets == nullptr ? nullptr : out.offsets + column + v * Lanes::kLanes);
    SEQ2SEQ_UNROLL
    for (int r = 0; r < kRows; ++r) sums[r][v] = start;
  }
  for (int64_t step = 0; step < steps; ++step) {
    Unit units[kColumns];
    SEQ2SEQ_UNROLL
    for (int v = 0; v < kColumns; ++v) {
      units[v] = Lanes::Load(right + (v / kVectors) * panel_units + (v % kVectors) * Lanes::kLanes);
    }
    SEQ2SEQ_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const Unit unit = Lanes::Broadcast(left[r]);
      SEQ2SEQ_UNROLL
      for (int v = 0; v < kColumns; ++v) sums[r][v] = Lanes::Add(sums[r][v], unit, units[v]);
    }
    left += kRows;
    right += kPanelColumns;
  }
  SEQ2SEQ_UNROLL
  for (int r = 0; r < kRows; ++r) {
    SEQ2SEQ_UNROLL
    for (int v = 0; v < kColumns; ++v) Write(sums[r][v], out, row + r, column + v * Lanes::kLanes);
  }
}

using TileFunction = void (*)(const uint32_t*, const uint32_t*, int64_t, int64_t,
                              const ProductOutput&, int64_t, int64_t);

// The MultiplyTile for `rows` and `panels`.
template <int kRows = kMaxRows, int kPanels = PanelsFor(kRows)>
TileFunction TileOf(int64_t rows, int64_t panels) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return TileOf<kRows - 1>(rows, panels);
  }
  if constexpr (kPanels > 1) {
    if (panels < kPanels) return TileOf<kRows, kPanels - 1>(rows, panels);
  }
  return MultiplyTile<kRows, kPanels>;
}

// Each panel stays in the cache while it is multiplied with all tiles.
void MultiplyBlock(const ProductBlock& block) {
  const TileRows tiles(block.rows, kMaxRows);
  const int64_t at_once = PanelsFor(static_cast<int>(tiles.of(0)));
  for (int64_t panel = 0; panel < block.panels; panel += at_once) {
    const int64_t panels = HWY_MIN(at_once, block.panels - panel);
    int64_t row = 0;
    for (int64_t tile = 0; tile < tiles.tiles; ++tile) {
      TileOf(tiles.of(tile), panels)(block.left + row * block.steps,
                                     block.right + panel * block.panel_units, block.panel_units,
                                     block.steps, block.out, row, panel * kPanelColumns);
      row += tiles.of(tile);
    }
  }
}
