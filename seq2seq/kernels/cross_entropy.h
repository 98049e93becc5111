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
  // Rows whose reference token has the highest logit, or with what is copied as high a probability.
  int64_t correct = 0;
};

// Gradients of the objective, times a scale; previous contents are overwritten.
struct OutputGradients {
  Matrix input;                 // [row, input]
  Matrix weight;                // [vocab, input]
  float* bias = nullptr;        // [vocab]
  float* log_copied = nullptr;  // [row], with log_copied.
};

// The output layers of teachers, whose mean probabilities are learnt beside the reference (Hinton
// et al. 2015).
struct SoftTargets {
  struct Teacher {
    OutputLayer layer;  // Of the same vocabulary.
    ConstMatrix input;  // [row, input of the teacher]
  };

  absl::Span<const Teacher> teachers;  // None for the reference alone.
  double weight = 0;                   // Share of the teachers in the objective, 0 to 1.
  double temperature = 1;              // Divides the logits of both, more than 0.
};

// The loss of `input`, [row, input], with the reference tokens `truth`, [row], and, unless
// `gradients` is null, its gradients. Processes the rows in chunks, whose logits take some 12 MB
// whatever the number of rows, and those of teachers as much again, of several twice. Label
// smoothing as in Szegedy et al. 2016: the reference has probability 1 - smoothing, and smoothing
// is spread evenly over the vocabulary. With teachers, whose probabilities at temperature t are q,
// the objective is (1 - weight) times that plus weight t^2 times the cross-entropy of q with the
// probabilities at temperature t. `row_weights`, [row], are factors of the objective of each row,
// of either sign; empty for 1. `log_copied`, [row], are logarithms of what is added to the
// probability of each reference, without teachers; empty for nothing. The smoothing remains that of
// the output layer.
CrossEntropySums OutputCrossEntropy(const OutputLayer& layer, ConstMatrix input,
                                    absl::Span<const int64_t> truth, double smoothing, double scale,
                                    Precision precision, const OutputGradients* gradients,
                                    const SoftTargets& soft = {},
                                    absl::Span<const float> row_weights = {},
                                    absl::Span<const float> log_copied = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_KERNELS_CROSS_ENTROPY_H_
