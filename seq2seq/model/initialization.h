// First values of parameters.
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
          "First values of matrices that inputs go through. orthogonal is a rotation (Saxe et al. "
          "2014), xavier keeps the size of signals (Glorot & Bengio 2010), uniform draws from "
          "-range to range, zero is zero.");
    visit("recurrent", recurrent,
          "The same of matrices that states go through; of rnn_relu, orthogonal is the identity "
          "(Le et al. 2015).");
    visit("range", range,
          "Embeddings, and what is uniform, are drawn from -range to range. 0.08 is common.");
    visit("forget_bias", forget_bias,
          "Of cells with a forget gate: 1 and more remember from the start on.");
  }
};

// InvalidArgument, naming the key and its value, if nothing can be filled with `options`.
absl::Status Validate(const InitializationOptions& options);

// Gives the parameters of `module` other first values where `options` are not the defaults, with
// which modules are made.
void Initialize(torch::nn::Module& module, const InitializationOptions& options);

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
