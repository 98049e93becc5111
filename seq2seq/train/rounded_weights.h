// Training with weights that are rounded as int8 stores them.
#ifndef SEQ2SEQ_TRAIN_ROUNDED_WEIGHTS_H_
#define SEQ2SEQ_TRAIN_ROUNDED_WEIGHTS_H_

#include <optional>

#include <torch/torch.h>

#include "seq2seq/model/parameters.h"

namespace seq2seq {

// The matrices of a model, embeddings included, as QuantizeWeights stores them in int8. Gradients
// are computed with these and applied to the exact weights, as if rounding had a slope of one
// (straight-through estimator, Bengio et al. 2013): the weights learn to be rounded.
class RoundedWeights {
 public:
  explicit RoundedWeights(const TensorMap& parameters) {
    for (const auto& [name, parameter] : parameters) {
      if (parameter.dim() != 2 || parameter.scalar_type() != torch::kFloat32) continue;
      parameters_.emplace(name, parameter);
      others_.emplace(name, torch::empty_like(parameter.detach()));
    }
  }

  // Puts the rounded weights in place. Costs some passes over the weights.
  void Round() {
    const torch::NoGradGuard no_grad;
    for (const auto& [name, parameter] : parameters_) {
      const torch::Tensor largest = parameter.abs().amax(1, /*keepdim=*/true);  // [row, 1]
      const torch::Tensor scale =
          torch::where(largest > 0, largest / 127, torch::ones_like(largest));
      torch::Tensor& rounded = others_.at(name);
      torch::div_out(rounded, parameter, scale);
      rounded.round_().mul_(scale);  // Ties to even.
    }
    Swap();
  }

  // Puts the exact weights back.
  void Restore() { Swap(); }

 private:
  void Swap() {
    for (auto& [name, other] : others_) {
      torch::Tensor parameter = parameters_.at(name);
      const torch::Tensor data = parameter.variable_data();
      parameter.set_data(other);
      other = data;
    }
  }

  TensorMap parameters_;
  TensorMap others_;  // Buffers, or the exact weights while rounded ones are in place.
};

// Puts the rounded weights, if there are any, in place of the exact ones during its lifetime.
class RoundedInPlace {
 public:
  explicit RoundedInPlace(std::optional<RoundedWeights>& weights) : weights_(weights) {
    if (weights_) weights_->Round();
  }
  ~RoundedInPlace() {
    if (weights_) weights_->Restore();
  }
  RoundedInPlace(const RoundedInPlace&) = delete;
  RoundedInPlace& operator=(const RoundedInPlace&) = delete;

 private:
  std::optional<RoundedWeights>& weights_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_ROUNDED_WEIGHTS_H_
