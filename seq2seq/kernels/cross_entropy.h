// Output layer fused with its loss, cross-entropy with label smoothing.
#ifndef SEQ2SEQ_KERNELS_CROSS_ENTROPY_H_
#define SEQ2SEQ_KERNELS_CROSS_ENTROPY_H_

#include <cstdint>

#include "absl/types/span.h"

#include "seq2seq/kernels/product.h"

namespace seq2seq {

struct OutputLayer {
  ConstMatrix weight;           // [vocab, input]
  const float* bias = nullptr;  // [vocab]
};

// Sums over rows, in nats.
struct CrossEntropySums {
  double objective = 0;  // Cross-entropy with the smoothed reference.
  double nll = 0;        // Negative log-likelihood of the reference.
  int64_t correct = 0;   // Rows whose reference token has the highest logit.
};

// Gradients of the objective, times a scale; previous contents are overwritten.
struct OutputGradients {
  Matrix input;           // [row, input]
  Matrix weight;          // [vocab, input]
  float* bias = nullptr;  // [vocab]
};

// The loss of `input`, [row, input], with the reference tokens `truth`, [row], and, unless
// `gradients` is null, its gradients. Processes the rows in chunks, whose logits take some 12 MB
// whatever the number of rows. Label smoothing as in Szegedy et al. 2016: the reference has
// probability 1 - smoothing, and smoothing is spread evenly over the vocabulary.
CrossEntropySums OutputCrossEntropy(const OutputLayer& layer, ConstMatrix input,
                                    absl::Span<const int64_t> truth, double smoothing, double scale,
                                    Precision precision, const OutputGradients* gradients);

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_CROSS_ENTROPY_H_
