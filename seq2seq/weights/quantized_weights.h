// Quantised weights (int8, bf16), as stored in models for decoding.
#ifndef SEQ2SEQ_WEIGHTS_QUANTIZED_WEIGHTS_H_
#define SEQ2SEQ_WEIGHTS_QUANTIZED_WEIGHTS_H_

#include <string>

#include "absl/status/statusor.h"

#include "seq2seq/kernels/product.h"
#include "seq2seq/weights/safetensors.h"

namespace seq2seq {

// Quantises the matrices, embeddings included, to `precision`, a half (bf16) or a quarter (int8) of
// the bytes; all else stays fp32. In int8 a matrix NAME becomes integers, and NAME.scales, [row],
// holds the scale of each row, as in the kernels' products.
TensorMap QuantizeWeights(const TensorMap& weights, Precision precision);

// The precision that the weights are quantised to.
Precision PrecisionOf(const TensorMap& weights);

// The weights dequantised to fp32; those in fp32 stay as they are. DataLoss, naming `path`, if
// integers and scales do not match, or are NaN or infinite.
absl::StatusOr<TensorMap> DequantizeWeights(const TensorMap& weights, const std::string& path);

}  // namespace seq2seq

#endif  // SEQ2SEQ_WEIGHTS_QUANTIZED_WEIGHTS_H_
