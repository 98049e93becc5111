// Parameters of normalisation layers as plain arrays.
#ifndef SEQ2SEQ_INFERENCE_NORM_ARRAYS_H_
#define SEQ2SEQ_INFERENCE_NORM_ARRAYS_H_

#include <cstdint>

#include "seq2seq/inference/named_array.h"
#include "seq2seq/kernels/normalization.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {

struct NormArrays {
  Array gain, bias;  // [channels] each.

  NormWeights view() const { return {gain.values<float>(), bias.values<float>()}; }
};

// The table of the parameters of a normalisation layer.
void ListArrays(int64_t channels, NormArrays& norm, const ArrayLister& lister);

}  // namespace seq2seq

#endif  // SEQ2SEQ_INFERENCE_NORM_ARRAYS_H_
