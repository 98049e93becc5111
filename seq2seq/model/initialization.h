// Initialisation of parameters: Xavier, orthogonal, uniform.
#ifndef SEQ2SEQ_MODEL_INITIALIZATION_H_
#define SEQ2SEQ_MODEL_INITIALIZATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include "seq2seq/inference/initialization_options.h"

namespace seq2seq {

// Initialises the parameters of `module` again where `options` differ from the defaults, with which
// modules are made.
void Initialize(torch::nn::Module& module, const InitializationOptions& options);

// Fills `weight`, [output, input], so that activations and gradients keep their variance (Glorot &
// Bengio 2010).
void InitializeXavier(const torch::Tensor& weight);

// Fills `weight`, a square recurrent matrix, with a random rotation (Saxe et al. 2014).
void InitializeOrthogonal(const torch::Tensor& weight);

// During its lifetime on this thread, parameters are not initialised: for models whose weights are
// loaded from a file.
class SkipInitialization {
 public:
  SkipInitialization();
  ~SkipInitialization();
  SkipInitialization(const SkipInitialization&) = delete;
  SkipInitialization& operator=(const SkipInitialization&) = delete;
};

// A linear layer with Xavier weights and a bias of zero.
torch::nn::Linear MakeLinear(int64_t input, int64_t output, bool bias);

// An embedding, uniform in the default range; the row of padding is zero and stays so.
torch::nn::Embedding MakeEmbedding(int64_t vocab, int64_t size);

}  // namespace seq2seq

#endif  // SEQ2SEQ_MODEL_INITIALIZATION_H_
