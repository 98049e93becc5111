#include "seq2seq/model/loss.h"

#include <torch/torch.h>

namespace seq2seq {

torch::Tensor SelectTokens(const torch::Tensor& values, const Batch& batch) {
  const torch::Tensor rows = values.flatten(0, 1);
  if (batch.target_tokens == rows.size(0)) return rows;
  // From the lengths, which are on the CPU: nonzero on another device would wait for it.
  const torch::Tensor positions = torch::arange(values.size(1)).unsqueeze(0);  // [1, target]
  const torch::Tensor tokens =
      positions.lt(batch.target_lengths.unsqueeze(1)).flatten().nonzero().squeeze(1);
  return rows.index_select(0, tokens.to(rows.device(), /*non_blocking=*/true));
}

Loss CrossEntropy(const torch::Tensor& logits, const Batch& batch, double smoothing,
                  const Distillation& distillation, const torch::Tensor& log_copied) {
  const torch::Tensor truth = SelectTokens(batch.target_output, batch);  // [token]
  const torch::Tensor log_probs = torch::log_softmax(logits, -1);        // [token, vocab]
  torch::Tensor nll = torch::nll_loss(log_probs, truth, {}, torch::Reduction::None);
  if (log_copied.defined()) nll = -torch::logaddexp(-nll, SelectTokens(log_copied, batch));
  torch::Tensor objective = nll;  // [token]
  if (smoothing > 0)
    objective = (1 - smoothing) * nll - smoothing / logits.size(1) * log_probs.sum(-1);
  if (!distillation.teachers.empty()) {
    const double temperature = distillation.temperature;
    torch::Tensor targets = torch::zeros_like(logits);
    for (const Distillation::Teacher& teacher : distillation.teachers) {
      const torch::Tensor of_teacher =
          torch::linear(SelectTokens(teacher.outputs, batch), teacher.weight, teacher.bias);
      targets += torch::softmax(of_teacher / temperature, -1) /
                 static_cast<double>(distillation.teachers.size());
    }
    const torch::Tensor distilled =
        -(targets * torch::log_softmax(logits / temperature, -1)).sum(-1);
    objective = (1 - distillation.weight) * objective +
                distillation.weight * temperature * temperature * distilled;
  }
  if (batch.target_weights.defined()) {
    const torch::Tensor of_positions =
        batch.target_weights.unsqueeze(1).expand_as(batch.target_output);
    objective = objective * SelectTokens(of_positions, batch);
  }
  Loss loss;
  loss.objective = objective.sum();
  loss.nll = nll.detach().sum();
  loss.correct = log_copied.defined()
                     ? nll.detach().neg().ge(std::get<0>(log_probs.detach().max(-1))).sum()
                     : logits.detach().argmax(-1).eq(truth).sum();
  return loss;
}

torch::Tensor AlignmentLoss(const torch::Tensor& log_attention, const torch::Tensor& alignment) {
  // Padding has a logarithm of minus infinity, which a share of 0 would make NaN.
  return -(alignment * log_attention.masked_fill(alignment.eq(0), 0)).sum();
}

}  // namespace seq2seq
