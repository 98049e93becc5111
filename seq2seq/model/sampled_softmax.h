// Sampled softmax for large vocabularies (Jean et al. 2015).
#ifndef SEQ2SEQ_MODEL_SAMPLED_SOFTMAX_H_
#define SEQ2SEQ_MODEL_SAMPLED_SOFTMAX_H_

#include <cstdint>

#include <torch/types.h>

namespace seq2seq {

// A part of the vocabulary that stands for all of it in the loss of a batch: the references, and a
// uniform sample of the others, each of which counts for those that are left out. The expectation
// of the sum of exp(logit + correction) is the sum of exp(logit) over the vocabulary.
struct SampledVocabulary {
  torch::Tensor tokens;       // [token], ascending; the first is padding.
  torch::Tensor corrections;  // [token], minus log of the probability of being among them.
  torch::Tensor references;   // [batch, target], as indices of `tokens`.
};

// Draws `count` tokens beside `references`, [batch, target], with the default generator; all if
// there are no more. On the device of `references`.
SampledVocabulary SampleVocabulary(const torch::Tensor& references, int64_t vocab, int64_t count);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_SAMPLED_SOFTMAX_H_
