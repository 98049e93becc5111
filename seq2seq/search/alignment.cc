#include "seq2seq/search/alignment.h"

#include <utility>

#include <torch/torch.h>

namespace seq2seq {

torch::Tensor Align(Model model, const Batch& batch) {
  ModelImpl::Start start = model->Begin(batch);
  Decoder& decoder = model->decoder();
  std::vector<torch::Tensor> weights;  // [batch, source], one a step.
  for (const torch::Tensor& tokens : batch.target_input.unbind(1)) {
    DecoderStep step = decoder->Step(decoder->ProjectTokens(tokens), start.state, start.memory);
    weights.push_back(step.attention);
    start.state = std::move(step.state);
  }
  return torch::stack(weights, 1).to(torch::kCPU);
}

}  // namespace seq2seq
