// Exponential moving average of weights.
#ifndef SEQ2SEQ_TRAIN_WEIGHT_AVERAGE_H_
#define SEQ2SEQ_TRAIN_WEIGHT_AVERAGE_H_

#include <algorithm>
#include <cstdint>
#include <optional>

#include <torch/torch.h>

#include "seq2seq/model/parameters.h"

namespace seq2seq {

// Follows the parameters over the updates: average = decay x average + (1 - decay) x weights
// (Polyak & Juditsky 1992; the exponential form). Over the first updates the decay rises to its
// final value, so that the initial weights lose their influence.
class WeightAverage {
 public:
  // Starts from the current weights.
  WeightAverage(const TensorMap& parameters, double decay)
      : parameters_(parameters), decay_(decay) {
    for (const auto& [name, parameter] : parameters_)
      average_.emplace(name, parameter.detach().clone());
  }

  // Updates the average after update `update` of the parameters, counted from 1.
  void Update(int64_t update) {
    const torch::NoGradGuard no_grad;
    const auto count = static_cast<double>(update);
    const double decay = std::min(decay_, (1 + count) / (10 + count));
    for (auto& [name, average] : average_) average.lerp_(parameters_.at(name), 1 - decay);
  }

  // Exchanges the average and the parameters, without copying.
  void Swap() {
    for (auto& [name, average] : average_) {
      torch::Tensor parameter = parameters_.at(name);
      const torch::Tensor data = parameter.variable_data();
      parameter.set_data(average);
      average = data;
    }
  }

  // By names of parameters, sharing storage with this object.
  const TensorMap& average() const { return average_; }

 private:
  const TensorMap parameters_;
  const double decay_;
  TensorMap average_;
};

// Puts the average, if there is one, in place of the weights during its lifetime.
class AverageInPlace {
 public:
  explicit AverageInPlace(std::optional<WeightAverage>& average) : average_(average) {
    if (average_) average_->Swap();
  }
  ~AverageInPlace() {
    if (average_) average_->Swap();
  }
  AverageInPlace(const AverageInPlace&) = delete;
  AverageInPlace& operator=(const AverageInPlace&) = delete;

 private:
  std::optional<WeightAverage>& average_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_WEIGHT_AVERAGE_H_
