// Stacking of plain arrays to a tensor.
#ifndef SEQ2SEQ_DATA_STACK_H_
#define SEQ2SEQ_DATA_STACK_H_

#include "absl/types/span.h"
#include <torch/types.h>

#include "seq2seq/weights/array.h"

namespace seq2seq {

// [array, …] of arrays of floats, at least one and all of one shape, as images are; a copy. Throws
// if their shapes differ.
torch::Tensor Stack(absl::Span<const Array> arrays);

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_STACK_H_
