// Group and layer normalisation.
#ifndef SEQ2SEQ_KERNELS_NORMALIZATION_H_
#define SEQ2SEQ_KERNELS_NORMALIZATION_H_

#include <cstdint>

#include "seq2seq/kernels/matrix.h"

namespace seq2seq {

// Gain and bias of normalised values, [columns] each.
struct NormWeights {
  const float* gain = nullptr;
  const float* bias = nullptr;
};

// output = max(0, group normalisation of values) (Wu & He 2018), of a feature map with a row per
// pixel, [pixel, channels]: each group of `groups` equal ones, neighbouring channels of all pixels,
// has mean 0 and variance 1 before gain and bias. `output` may be `values`. Two passes for the
// moments, which do not depend on the number of threads, and one for the rest. Uses all threads.
void GroupNormRelu(ConstMatrix values, int64_t groups, const NormWeights& weights, Matrix output);

// output = layer normalisation of each row (Ba et al. 2016). `output` may be `values`. One thread.
void LayerNorm(ConstMatrix values, const NormWeights& weights, Matrix output);

// Gradients of layer normalisation.
struct NormGradients {
  Matrix values;          // [row, columns]; may be the gradient of the output.
  float* gain = nullptr;  // [columns], and so the bias. The sums over rows do not depend on the
  float* bias = nullptr;  // number of threads.
};

// Sets `gradients`, given that of the output; computes the moments anew. Uses all threads.
void LayerNormBackward(ConstMatrix values, const float* gain, ConstMatrix output_gradient,
                       const NormGradients& gradients);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_NORMALIZATION_H_
