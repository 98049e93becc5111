// Initialisation of parameters: Xavier, orthogonal, uniform.
#ifndef SEQ2SEQ_MODEL_INITIALIZATION_H_
#define SEQ2SEQ_MODEL_INITIALIZATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include <torch/nn/module.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

namespace seq2seq {

enum class Initialization { kXavier, kOrthogonal, kUniform, kZero };

inline std::vector<std::string> EnumTexts(Initialization) {
  return {"xavier", "orthogonal", "uniform", "zero"};
}

struct InitializationOptions {
  Initialization weights = Initialization::kXavier;
  Initialization recurrent = Initialization::kOrthogonal;
  double range = 0.1;
  double forget_bias = 1;

  template <typename V>
  void Visit(V&& visit) {
    visit("weights", weights,
          "Initialisation of weight matrices other than recurrent ones and embeddings. orthogonal: "
          "a random rotation (Saxe et al. 2014); xavier: keeps the variance of signals (Glorot & "
          "Bengio 2010); uniform: drawn from -range to range; zero: all zero.");
    visit("recurrent", recurrent,
          "Initialisation of recurrent matrices, as weights; for rnn_relu, orthogonal is the "
          "identity (Le et al. 2015).");
    visit("range", range,
          "Bound of uniform initialisation, from -range to range, also of embeddings. Above 0 and "
          "at most 10; 0.08 is common.");
    visit("forget_bias", forget_bias,
          "Initial bias of the forget gate, -10 to 10. With 1 or more, cells keep their state from "
          "the start of training.");
  }
};

// InvalidArgument, naming the key and its value, if `options` are invalid.
absl::Status Validate(const InitializationOptions& options);

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
