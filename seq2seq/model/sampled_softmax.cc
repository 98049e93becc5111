#include "seq2seq/model/sampled_softmax.h"

#include <algorithm>
#include <cmath>

#include <torch/torch.h>

#include "tokenizer/tokenizer.h"

namespace seq2seq {

SampledVocabulary SampleVocabulary(const torch::Tensor& references, int64_t vocab, int64_t count) {
  const torch::NoGradGuard no_grad;
  torch::Tensor certain = torch::zeros({vocab}, torch::kBool);
  certain.index_fill_(0, references.to(torch::kCPU).flatten(), true);
  certain[kPadId] = true;
  const torch::Tensor others = certain.logical_not().nonzero().squeeze(1);
  const int64_t drawn = std::min(count, others.size(0));
  torch::Tensor taken = certain.clone();
  taken.index_fill_(0, others.index_select(0, torch::randperm(others.size(0)).narrow(0, 0, drawn)),
                    true);
  const double correction =
      drawn > 0 ? std::log(static_cast<double>(others.size(0)) / static_cast<double>(drawn)) : 0;

  SampledVocabulary sampled;
  sampled.tokens = taken.nonzero().squeeze(1);
  sampled.corrections =
      certain.index_select(0, sampled.tokens).logical_not().to(torch::kFloat32) * correction;
  const torch::Tensor indices = taken.to(torch::kInt64).cumsum(0) - 1;  // Of each token.
  const torch::Device device = references.device();
  sampled.references =
      indices.to(device).index_select(0, references.flatten()).view(references.sizes());
  sampled.tokens = sampled.tokens.to(device);
  sampled.corrections = sampled.corrections.to(device);
  return sampled;
}

}  // namespace seq2seq
