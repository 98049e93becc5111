#include "seq2seq/model/teacher_forcing.h"

#include <torch/torch.h>

namespace seq2seq {

torch::Tensor TeacherForcing::Draw(int64_t batch, int64_t target, torch::Device device) const {
  const int64_t rows = scope == SamplingScope::kBatch ? 1 : batch;
  const int64_t columns = scope == SamplingScope::kToken ? target : 1;
  return (torch::rand({rows, columns}, device) < rate).expand({batch, target});
}

torch::Tensor TeacherForcing::Choose(const torch::Tensor& logits) const {
  const torch::NoGradGuard no_grad;
  if (predicted == PredictedToken::kArgmax) return logits.argmax(-1);
  return torch::softmax(logits, -1).multinomial(1).squeeze(-1);
}

}  // namespace seq2seq
