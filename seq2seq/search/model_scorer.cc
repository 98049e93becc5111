#include "seq2seq/search/model_scorer.h"

#include <utility>

#include <torch/torch.h>

namespace seq2seq {

ModelScorer::ModelScorer(Model model, const Batch& sources)
    : model_(std::move(model)), batch_(sources.size()), now_(model_->Begin(sources)) {}

torch::Tensor ModelScorer::Step(const torch::Tensor& tokens) {
  Decoder& decoder = model_->decoder();
  const torch::Device device = now_.memory.values.device();
  DecoderStep step =
      decoder->Step(decoder->ProjectTokens(tokens.to(device)), now_.state, now_.memory);
  now_.state = std::move(step.state);
  return torch::log_softmax(decoder->Logits(step.readout), -1, torch::kFloat32).to(torch::kCPU);
}

void ModelScorer::Select(const torch::Tensor& rows, const torch::Tensor& sentences) {
  const torch::Device device = now_.memory.values.device();
  now_.state = now_.state.Select(rows.to(device));
  // Most steps finish no sentence, and the memory is large.
  if (sentences.size(0) != now_.memory.values.size(0))
    now_.memory = now_.memory.Select(sentences.to(device));
}

}  // namespace seq2seq
