// Output layer and cross-entropy loss with gradients, on the kernels.
#ifndef SEQ2SEQ_OPS_OUTPUT_LOSS_OP_H_
#define SEQ2SEQ_OPS_OUTPUT_LOSS_OP_H_

#include <torch/types.h>

namespace seq2seq {

// Sums over tokens.
struct Loss {
  torch::Tensor objective;  // Scalar with gradient: cross-entropy with smoothed labels, in nats.
  torch::Tensor nll;        // Scalar: negative log-likelihood of the reference, in nats.
  torch::Tensor correct;    // Scalar: number of reference tokens with the highest logit.
};

// Cross-entropy of attentional states, [batch, target, attentional], against `truth`, [batch,
// target], without padding, with dropout before the output layer unless `dropout` is 0. The forward
// pass also computes the gradients of `scale` times the objective. Agrees with CrossEntropy of
// model/loss.h.
Loss FusedCrossEntropy(const torch::Tensor& attentional_states, const torch::Tensor& truth,
                       const torch::Tensor& weight, const torch::Tensor& bias, double smoothing,
                       double scale, double dropout);

}  // namespace seq2seq

#endif  // SEQ2SEQ_OPS_OUTPUT_LOSS_OP_H_
