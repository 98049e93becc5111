#include "seq2seq/model/copying.h"

#include <torch/torch.h>

namespace seq2seq {

torch::Tensor LogAttentionTo(const torch::Tensor& tokens, const torch::Tensor& log_attention,
                             const torch::Tensor& source) {
  // Not minus infinity, of which logsumexp has no gradient where all are.
  constexpr double kNothing = -1e4;
  const torch::Tensor differs = tokens.unsqueeze(2).ne(source.unsqueeze(1));
  return torch::logsumexp(log_attention.masked_fill(differs, kNothing), -1);
}

torch::Tensor AddCopies(const torch::Tensor& logits, const torch::Tensor& copy_logits,
                        const torch::Tensor& attention, const torch::Tensor& source) {
  const torch::Tensor copied = torch::zeros_like(logits).scatter_add(1, source, attention);
  const torch::Tensor offset =
      torch::logsumexp(logits, 1, /*keepdim=*/true) + copy_logits.unsqueeze(1);
  return torch::logaddexp(logits, offset + copied.clamp_min(1e-30).log());
}

}  // namespace seq2seq
