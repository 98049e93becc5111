// First values of parameters.
#ifndef SEQ2SEQ_MODEL_INITIALIZATION_H_
#define SEQ2SEQ_MODEL_INITIALIZATION_H_

#include <cstdint>

#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

namespace seq2seq {

// Fills `weight`, [output, input], so that signals keep their size both ways (Glorot & Bengio
// 2010).
void InitializeXavier(const torch::Tensor& weight);

// Fills `weight`, a square recurrent matrix, with a random rotation (Saxe et al. 2014).
void InitializeOrthogonal(const torch::Tensor& weight);

// While one lives on this thread, parameters are made without values: for models whose weights
// come from a file.
class SkipInitialization {
 public:
  SkipInitialization();
  ~SkipInitialization();
  SkipInitialization(const SkipInitialization&) = delete;
  SkipInitialization& operator=(const SkipInitialization&) = delete;
};

// A linear layer with Xavier weights and a bias of zero.
torch::nn::Linear MakeLinear(int64_t input, int64_t output, bool bias);

// An embedding with values of about 0.05; padding is zero and stays so.
torch::nn::Embedding MakeEmbedding(int64_t vocab, int64_t size);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_INITIALIZATION_H_
