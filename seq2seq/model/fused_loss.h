// The kernel of the output layer and its loss behind autograd. The plain formulas are in loss.h;
// both agree.
#ifndef SEQ2SEQ_MODEL_FUSED_LOSS_H_
#define SEQ2SEQ_MODEL_FUSED_LOSS_H_

#include <torch/types.h>

#include "seq2seq/model/loss.h"

namespace seq2seq {

// The loss of readouts, [batch, target, readout], whose truths are `truth`, [batch, target],
// padding left away, with dropout before the output layer unless `dropout` is 0. Computes the
// gradients of `scale` times the objective in the same go.
Loss FusedCrossEntropy(const torch::Tensor& readouts, const torch::Tensor& truth,
                       const torch::Tensor& weight, const torch::Tensor& bias, double smoothing,
                       double scale, double dropout);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_FUSED_LOSS_H_
