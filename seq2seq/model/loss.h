// Cross-entropy loss with label smoothing.
#ifndef SEQ2SEQ_MODEL_LOSS_H_
#define SEQ2SEQ_MODEL_LOSS_H_

#include <cstdint>

#include <torch/types.h>

#include "seq2seq/data/batch.h"
#include "seq2seq/ops/output_loss_op.h"

namespace seq2seq {

// What the objective of a batch is made of.
struct LossTerms {
  double smoothing = 0;  // Label smoothing, where the batch has no target_weights.
  double scale = 1;      // Factor of the whole.
  Distillation distillation = {};
  double guided_alignment = 0;  // Weight of AlignmentLoss, where the batch has an alignment.
  // In training, tokens of the output layer beside the references, as in sampled_softmax.h; 0 for
  // all.
  int64_t sampled_softmax = 0;
};

// The rows of `values`, [batch, target, ...], that belong to tokens and not to padding: [token,
// ...].
torch::Tensor SelectTokens(const torch::Tensor& values, const Batch& batch);

// Cross-entropy of the logits of a batch, [token, vocab], with label smoothing (Szegedy et al.
// 2016): the reference has probability 1 - smoothing, and smoothing is spread evenly over the
// vocabulary. With teachers, the objective is that of FusedCrossEntropy. The objective of each
// target is multiplied by its batch.target_weights. `log_copied`, [batch, target], as in
// FusedCrossEntropy.
Loss CrossEntropy(const torch::Tensor& logits, const Batch& batch, double smoothing,
                  const Distillation& distillation = {}, const torch::Tensor& log_copied = {});

// Guided alignment (Chen et al. 2016): the cross-entropy of attention weights, whose logarithms are
// [batch, target, source], with `alignment` of the same shape, as in Batch, summed over tokens.
torch::Tensor AlignmentLoss(const torch::Tensor& log_attention, const torch::Tensor& alignment);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_LOSS_H_
