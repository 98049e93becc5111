// Quantised weights (int8, bf16), as stored in models for decoding.
#ifndef SEQ2SEQ_WEIGHTS_QUANTIZED_WEIGHTS_H_
#define SEQ2SEQ_WEIGHTS_QUANTIZED_WEIGHTS_H_

#include <string>

#include "absl/status/statusor.h"

#include "seq2seq/kernels/product.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {

// Quantises the matrices, embeddings included, to `precision`, a half (bf16) or a quarter (int8) of
// the bytes; all else stays as it is. In int8 a matrix NAME becomes the integers nearest to its
// values divided by NAME.scales, [row], the largest absolute value of each row divided by 127, or 1
// where that is 0. Ties are rounded to even. Arrays that stay share their bytes. Costs a pass or
// two over the weights.
ArrayMap QuantizeWeights(const ArrayMap& weights, Precision precision);

// The precision that the weights are quantised to.
Precision PrecisionOf(const ArrayMap& weights);

// The weights as they are stored, with the scales of integers as their Array::scales. DataLoss,
// naming `path`, if integers and scales do not match, or if there are NaN or infinite numbers.
absl::StatusOr<ArrayMap> JoinScales(ArrayMap weights, const std::string& path);

// The same weights in fp32; those in fp32 stay as they are.
absl::StatusOr<ArrayMap> DequantizeWeights(const ArrayMap& weights, const std::string& path);

}  // namespace seq2seq

#endif  // SEQ2SEQ_WEIGHTS_QUANTIZED_WEIGHTS_H_
