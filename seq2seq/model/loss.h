// How far the scores are from the truth.
#ifndef SEQ2SEQ_MODEL_LOSS_H_
#define SEQ2SEQ_MODEL_LOSS_H_

#include <torch/types.h>

#include "seq2seq/data/batch.h"

namespace seq2seq {

// Sums over tokens.
struct Loss {
  torch::Tensor objective;  // Scalar with gradient: cross entropy with the smoothed truth, in nats.
  torch::Tensor nll;        // Scalar: negative log-likelihood of the truth itself, in nats.
  torch::Tensor correct;    // Scalar: tokens that score highest.
};

// The rows of `values`, [batch, target, ...], that belong to tokens and not to padding: [token,
// ...].
torch::Tensor SelectTokens(const torch::Tensor& values, const Batch& batch);

// Cross entropy of the scores of a batch, [token, vocab], with label smoothing (Szegedy et al.
// 2016): the truth has probability 1 - smoothing, and smoothing is spread evenly over the
// vocabulary.
Loss CrossEntropy(const torch::Tensor& logits, const Batch& batch, double smoothing);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_LOSS_H_
