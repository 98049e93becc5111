// Autograd function around the kernel of output layer and cross-entropy; agrees with loss.h.
#ifndef SEQ2SEQ_OPS_OUTPUT_LOSS_OP_H_
#define SEQ2SEQ_OPS_OUTPUT_LOSS_OP_H_

#include <torch/types.h>

#include "seq2seq/model/loss.h"

namespace seq2seq {

// Cross-entropy of attentional states, [batch, target, attentional], against `truth`, [batch,
// target], without padding, with dropout before the output layer unless `dropout` is 0. The forward
// pass also computes the gradients of `scale` times the objective.
Loss FusedCrossEntropy(const torch::Tensor& attentional_states, const torch::Tensor& truth,
                       const torch::Tensor& weight, const torch::Tensor& bias, double smoothing,
                       double scale, double dropout);

}  // namespace seq2seq

#endif  // SEQ2SEQ_OPS_OUTPUT_LOSS_OP_H_
