#include "seq2seq/model/initialization.h"

#include <torch/torch.h>

#include "tokenizer/tokenizer.h"

namespace seq2seq {

namespace {

thread_local int skips = 0;

}  // namespace

SkipInitialization::SkipInitialization() { ++skips; }
SkipInitialization::~SkipInitialization() { --skips; }

void InitializeXavier(const torch::Tensor& weight) {
  if (skips == 0) torch::nn::init::xavier_uniform_(weight);
}

void InitializeOrthogonal(const torch::Tensor& weight) {
  if (skips == 0) torch::nn::init::orthogonal_(weight);
}

torch::nn::Linear MakeLinear(int64_t input, int64_t output, bool bias) {
  torch::nn::Linear linear(torch::nn::LinearOptions(input, output).bias(bias));
  InitializeXavier(linear->weight);
  if (bias) torch::nn::init::zeros_(linear->bias);
  return linear;
}

torch::nn::Embedding MakeEmbedding(int64_t vocab, int64_t size) {
  torch::nn::Embedding embedding(torch::nn::EmbeddingOptions(vocab, size)
                                     .padding_idx(kPadId)
                                     ._weight(torch::empty({vocab, size})));
  if (skips > 0) return embedding;
  const torch::NoGradGuard no_grad;
  embedding->weight.uniform_(-0.1, 0.1);
  embedding->weight[kPadId].zero_();
  return embedding;
}

}  // namespace seq2seq
