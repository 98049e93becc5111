#include "seq2seq/train/optimizer.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include <torch/torch.h>

namespace seq2seq {
namespace {

class Sgd : public Optimizer {
 public:
  explicit Sgd(TensorMap parameters) : parameters_(std::move(parameters)) {}

  void Step(double rate, int64_t update) override {
    const torch::NoGradGuard no_grad;
    for (auto& [name, parameter] : parameters_) {
      if (parameter.grad().defined()) parameter.add_(parameter.grad(), -rate);
    }
  }

  TensorMap State() const override { return {}; }

 private:
  TensorMap parameters_;
};

// Kingma & Ba 2015.
class Adam : public Optimizer {
 public:
  Adam(const OptimizerOptions& options, const TensorMap& parameters) : options_(options) {
    const torch::NoGradGuard no_grad;
    for (const auto& [name, parameter] : parameters) {
      moments_.push_back(
          {name, parameter, torch::zeros_like(parameter), torch::zeros_like(parameter)});
    }
  }

  void Step(double rate, int64_t update) override {
    const torch::NoGradGuard no_grad;
    const auto count = static_cast<double>(update);
    const double mean_bias = 1 - std::pow(options_.beta1, count);
    const double square_bias = 1 - std::pow(options_.beta2, count);
    for (Moments& moments : moments_) {
      const torch::Tensor& gradient = moments.parameter.grad();
      if (!gradient.defined()) continue;
      moments.mean.lerp_(gradient, 1 - options_.beta1);
      moments.square.mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
      const torch::Tensor scale =
          moments.square.sqrt().div_(std::sqrt(square_bias)).add_(options_.epsilon);
      moments.parameter.addcdiv_(moments.mean, scale, -rate / mean_bias);
    }
  }

  TensorMap State() const override {
    TensorMap state;
    for (const Moments& moments : moments_) {
      state.emplace(absl::StrCat("mean.", moments.name), moments.mean);
      state.emplace(absl::StrCat("square.", moments.name), moments.square);
    }
    return state;
  }

 private:
  struct Moments {
    std::string name;
    torch::Tensor parameter;
    torch::Tensor mean;
    torch::Tensor square;
  };

  OptimizerOptions options_;
  std::vector<Moments> moments_;
};

}  // namespace

absl::Status Optimizer::Restore(const TensorMap& state, const std::string& path) {
  return AssignTensors(state, path, State());
}

std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options,
                                         const TensorMap& parameters) {
  switch (options.kind) {
    case OptimizerKind::kAdam:
      return std::make_unique<Adam>(options, parameters);
    case OptimizerKind::kSgd:
      return std::make_unique<Sgd>(parameters);
  }
  TORCH_CHECK(false, "no such optimizer: ", static_cast<int>(options.kind));
}

double ClipGradients(const TensorMap& parameters, double max_norm) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> norms;
  for (const auto& [name, parameter] : parameters) {
    if (parameter.grad().defined()) norms.push_back(parameter.grad().norm());
  }
  const double norm = torch::stack(norms).norm().item<double>();
  if (max_norm > 0 && norm > max_norm) {
    for (const auto& [name, parameter] : parameters) {
      if (parameter.grad().defined()) parameter.mutable_grad().mul_(max_norm / norm);
    }
  }
  return norm;
}

}  // namespace seq2seq
