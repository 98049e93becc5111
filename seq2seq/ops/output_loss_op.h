// Output layer and cross-entropy loss with gradients, on the kernels.
#ifndef SEQ2SEQ_OPS_OUTPUT_LOSS_OP_H_
#define SEQ2SEQ_OPS_OUTPUT_LOSS_OP_H_

#include <vector>

#include <torch/types.h>

namespace seq2seq {

// Sums over tokens.
struct Loss {
  torch::Tensor objective;  // Scalar with gradient: cross-entropy with smoothed labels, in nats.
  torch::Tensor nll;        // Scalar: negative log-likelihood of the reference, in nats.
  // Scalar: number of reference tokens with the highest logit; where models copy, with no less
  // probability than the output layer gives to any.
  torch::Tensor correct;
};

// Teachers of a batch, whose mean probabilities at a temperature are learnt beside the reference
// (Hinton et al. 2015). Without gradient.
struct Distillation {
  struct Teacher {
    torch::Tensor outputs;  // [batch, target, output of the teacher]
    torch::Tensor weight;   // Of its output layer, [vocab, output of the teacher],
    torch::Tensor bias;     // [vocab].
  };

  std::vector<Teacher> teachers;  // None for the reference alone.
  double weight = 0;              // Share of the teachers in the objective, 0 to 1.
  double temperature = 1;         // Divides the logits of both, more than 0.
};

// Cross-entropy of attentional states, [batch, target, attentional], against `truth`, [batch,
// target], without padding, with dropout before the output layer unless `dropout` is 0. The forward
// pass also computes the gradients of `scale` times the objective. With teachers, the objective is
// that of SoftTargets in kernels/cross_entropy.h. `target_weights`, [batch], are factors of the
// objective of each target; undefined for 1. `log_copied`, [batch, target], are logarithms of what
// is added to the probability of each reference, without teachers; undefined for nothing. Agrees
// with CrossEntropy of model/loss.h.
Loss FusedCrossEntropy(const torch::Tensor& attentional_states, const torch::Tensor& truth,
                       const torch::Tensor& weight, const torch::Tensor& bias, double smoothing,
                       double scale, double dropout, const Distillation& distillation = {},
                       const torch::Tensor& target_weights = {},
                       const torch::Tensor& log_copied = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_OPS_OUTPUT_LOSS_OP_H_
