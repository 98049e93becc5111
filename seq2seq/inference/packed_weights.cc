#include "seq2seq/inference/packed_weights.h"

namespace seq2seq {

PackedMatrix PackAndDrop(Array& weight, Precision precision) {
  if (!weight.defined()) return {};
  PackedMatrix packed = PackedMatrix::PackTransposed(weight.matrix(), precision);
  weight = Array();
  return packed;
}

CellWeights ViewCell(const CellArrays& cell) {
  return {cell.weight_ih.matrix(), cell.weight_hh.matrix(), cell.bias_ih.values<float>(),
          cell.bias_hh.values<float>(), cell.peephole.values<float>()};
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
