// Weights in fewer bits, as files of models that are only decoded with hold them.
#ifndef SEQ2SEQ_MODEL_ROUNDED_WEIGHTS_H_
#define SEQ2SEQ_MODEL_ROUNDED_WEIGHTS_H_

#include <string>

#include "absl/status/statusor.h"

#include "seq2seq/kernels/product.h"
#include "seq2seq/model/weights.h"

namespace seq2seq {

// Rounds the matrices to `precision`, which leaves a half or a quarter of the bytes; all else stays
// fp32. In int8 a matrix NAME becomes whole numbers and NAME.scales, [row], what those of each row
// are multiplied by, as the kernels' products have it. Embeddings are matrices too.
TensorMap RoundWeights(const TensorMap& weights, Precision precision);

// What the weights were rounded to.
Precision PrecisionOf(const TensorMap& weights);

// The weights as floats again; those that are floats stay as they are. DataLoss, naming `path`,
// where numbers and scales do not go together, or are not finite.
absl::StatusOr<TensorMap> RestoreWeights(const TensorMap& weights, const std::string& path);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_ROUNDED_WEIGHTS_H_
