#include "seq2seq/inference/packed_weights.h"

namespace seq2seq {

PackedMatrix PackAndDrop(Array& weight, Precision precision) {
  if (!weight.defined()) return {};
  PackedMatrix packed = PackedMatrix::PackTransposed(weight.matrix(), precision);
  weight = Array();
  return packed;
}

CellWeights ViewCell(const CellArrays& cell) {
  return {.input = cell.weight_ih.matrix(),
          .hidden = cell.weight_hh.matrix(),
          .input_bias = cell.bias_ih.values<float>(),
          .hidden_bias = cell.bias_hh.values<float>(),
          .peephole = cell.peephole.values<float>(),
          .input_gain = cell.norm_ih.values<float>(),
          .hidden_gain = cell.norm_hh.values<float>(),
          .cell_state_gain = cell.norm_cell_state.values<float>(),
          .cell_state_bias = cell.norm_cell_state_bias.values<float>()};
}

void DropPacked(CellArrays& cell) {
  cell.weight_ih = Array();
  cell.weight_hh = Array();
}

int64_t PackedBytes(absl::Span<const PackedCell> cells) {
  int64_t bytes = 0;
  for (const PackedCell& cell : cells) bytes += cell.input.bytes() + cell.hidden.bytes();
  return bytes;
}

}  // namespace seq2seq
