// Cross-entropy loss with label smoothing.
#ifndef SEQ2SEQ_MODEL_LOSS_H_
#define SEQ2SEQ_MODEL_LOSS_H_

#include <torch/types.h>

#include "seq2seq/data/batch.h"
#include "seq2seq/ops/output_loss_op.h"

namespace seq2seq {

// The rows of `values`, [batch, target, ...], that belong to tokens and not to padding: [token,
// ...].
torch::Tensor SelectTokens(const torch::Tensor& values, const Batch& batch);

// Cross-entropy of the logits of a batch, [token, vocab], with label smoothing (Szegedy et al.
// 2016): the reference has probability 1 - smoothing, and smoothing is spread evenly over the
// vocabulary. With teachers, the objective is that of FusedCrossEntropy.
Loss CrossEntropy(const torch::Tensor& logits, const Batch& batch, double smoothing,
                  const Distillation& distillation = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_LOSS_H_
