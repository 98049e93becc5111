// Packing of parameter arrays for the matrix products of the kernels.
#ifndef SEQ2SEQ_INFERENCE_PACKED_WEIGHTS_H_
#define SEQ2SEQ_INFERENCE_PACKED_WEIGHTS_H_

#include <cstdint>

#include "absl/types/span.h"

#include "seq2seq/inference/model_arrays.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/kernels/recurrent.h"

namespace seq2seq {

// Packs a weight, [output, input], and drops it, so that the model is not in memory twice. Empty
// for an undefined array.
PackedMatrix PackAndDrop(Array& weight, Precision precision);

// A view of the parameters of a cell, which must outlive it.
CellWeights ViewCell(const CellArrays& cell);

// Drops the parameters of a cell that packed cells do not use; the others stay.
void DropPacked(CellArrays& cell);

// Bytes of the packed weights of cells.
int64_t PackedBytes(absl::Span<const PackedCell> cells);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_PACKED_WEIGHTS_H_
