#include "seq2seq/train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/profile.h"
#include "seq2seq/model/compute.h"
#if SEQ2SEQ_KERNELS
#include "seq2seq/kernels/adam.h"
#include "seq2seq/kernels/parallel.h"
#endif

namespace seq2seq {
namespace {

// Of the learning rate, by the names of parameters; 1 for those without.
using Shares = std::map<std::string, double>;

double ShareOf(const Shares& shares, const std::string& name) {
  const auto found = shares.find(name);
  return found == shares.end() ? 1 : found->second;
}

// Optimizers that remember some tensors of the shape of each parameter.
class SlotOptimizer : public Optimizer {
 public:
  void Step(double rate, int64_t update, double gradient_scale) override {
    const PhaseTimer timer(Phase::kOptimizer);
    const torch::NoGradGuard no_grad;
    for (Slots& slots : slots_) {
      const torch::Tensor& gradient = slots.parameter.grad();
      if (!gradient.defined()) continue;
      Apply(slots.share * rate, gradient_scale, slots);
    }
  }

  TensorMap State() const override {
    TensorMap state;
    for (const Slots& slots : slots_) {
      for (size_t i = 0; i < names_.size(); ++i)
        state.emplace(absl::StrCat(names_[i], ".", slots.name), slots.tensors[i]);
    }
    return state;
  }

 protected:
  struct Slots {
    std::string name;
    double share = 1;  // Of the learning rate.
    torch::Tensor parameter;
    std::vector<torch::Tensor> tensors;  // Zeros at first.
  };

  SlotOptimizer(const TensorMap& parameters, const Shares& shares, std::vector<std::string> names)
      : names_(std::move(names)) {
    const torch::NoGradGuard no_grad;
    for (const auto& [name, parameter] : parameters) {
      slots_.push_back({name, ShareOf(shares, name), parameter, {}});
      for (size_t i = 0; i < names_.size(); ++i)
        slots_.back().tensors.push_back(torch::zeros_like(parameter));
    }
  }

  // Moves one parameter by its gradient times `scale`.
  virtual void Apply(double rate, double scale, Slots& slots) = 0;

 private:
  std::vector<std::string> names_;
  std::vector<Slots> slots_;
};

// With the momentum of Polyak 1964 or, looking ahead, of Sutskever et al. 2013.
class Sgd : public SlotOptimizer {
 public:
  Sgd(const OptimizerOptions& options, const TensorMap& parameters, const Shares& shares)
      : SlotOptimizer(parameters, shares,
                      options.momentum > 0 ? std::vector<std::string>{"momentum"}
                                           : std::vector<std::string>()),
        momentum_(options.momentum),
        nesterov_(options.nesterov) {}

 protected:
  void Apply(double rate, double scale, Slots& slots) override {
    if (momentum_ == 0) {  // Which sparse gradients go through as they are.
      slots.parameter.add_(slots.parameter.grad(), -rate * scale);
      return;
    }
    const torch::Tensor gradient = slots.parameter.grad().to_dense() * scale;
    torch::Tensor& step = slots.tensors[0];
    step.mul_(momentum_).add_(gradient);
    slots.parameter.add_(nesterov_ ? gradient + momentum_ * step : step, -rate);
  }

 private:
  double momentum_;
  bool nesterov_;
};

// Duchi et al. 2011.
class Adagrad : public SlotOptimizer {
 public:
  Adagrad(const OptimizerOptions& options, const TensorMap& parameters, const Shares& shares)
      : SlotOptimizer(parameters, shares, {"square"}), epsilon_(options.epsilon) {}

 protected:
  void Apply(double rate, double scale, Slots& slots) override {
    const torch::Tensor gradient = slots.parameter.grad().to_dense() * scale;
    torch::Tensor& square = slots.tensors[0];
    square.addcmul_(gradient, gradient);
    slots.parameter.addcdiv_(gradient, square.sqrt().add_(epsilon_), -rate);
  }

 private:
  double epsilon_;
};

// Tieleman & Hinton 2012.
class Rmsprop : public SlotOptimizer {
 public:
  Rmsprop(const OptimizerOptions& options, const TensorMap& parameters, const Shares& shares)
      : SlotOptimizer(parameters, shares,
                      options.momentum > 0 ? std::vector<std::string>{"square", "momentum"}
                                           : std::vector<std::string>{"square"}),
        options_(options) {}

 protected:
  void Apply(double rate, double scale, Slots& slots) override {
    const torch::Tensor gradient = slots.parameter.grad().to_dense() * scale;
    torch::Tensor& square = slots.tensors[0];
    square.mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
    torch::Tensor step = gradient / square.sqrt().add_(options_.epsilon);
    if (options_.momentum > 0) step = slots.tensors[1].mul_(options_.momentum).add_(step);
    slots.parameter.add_(step, -rate);
  }

 private:
  OptimizerOptions options_;
};

struct Moments {
  std::string name;
  double share = 1;  // Of the learning rate.
  torch::Tensor parameter;
  torch::Tensor mean;
  torch::Tensor square;
};

// The numbers of one update.
struct AdamNumbers {
  double rate = 0;
  double mean_bias = 0;
  double square_bias = 0;
  double decay = 0;
  double gradient_scale = 1;
};

#if SEQ2SEQ_KERNELS

// A stretch of a parameter that one task updates.
struct Stretch {
  const float* gradient = nullptr;  // Null for zeros.
  int64_t size = 0;
  float* weight = nullptr;
  float* mean = nullptr;
  float* square = nullptr;
  float share = 1;
};

// The stretches of a parameter: a row each if its gradient is sparse, and only those of the
// gradient if `lazy`.
void AddStretches(const Moments& moments, const torch::Tensor& gradient, bool lazy,
                  std::vector<Stretch>& stretches) {
  auto* weight = moments.parameter.data_ptr<float>();
  auto* mean = moments.mean.data_ptr<float>();
  auto* square = moments.square.data_ptr<float>();
  const auto add = [&](const float* values, int64_t offset, int64_t size) {
    stretches.push_back({values, size, weight + offset, mean + offset, square + offset,
                         static_cast<float>(moments.share)});
  };
  if (!gradient.is_sparse()) {
    constexpr int64_t kSize = 1 << 15;
    const auto* values = gradient.data_ptr<float>();
    for (int64_t begin = 0; begin < gradient.numel(); begin += kSize) {
      add(values + begin, begin, std::min(kSize, gradient.numel() - begin));
    }
    return;
  }
  const torch::Tensor values = gradient._values();
  const auto* row = gradient._indices().data_ptr<int64_t>();
  const int64_t rows = gradient._nnz();
  const int64_t size = values.size(1);
  int64_t next = 0;  // The first row that is not yet accounted for.
  for (int64_t i = 0; i < rows; ++i) {
    if (!lazy && row[i] > next) add(nullptr, next * size, (row[i] - next) * size);
    add(values.data_ptr<float>() + i * size, row[i] * size, size);
    next = row[i] + 1;
  }
  if (!lazy && next < gradient.size(0)) {
    add(nullptr, next * size, (gradient.size(0) - next) * size);
  }
}

void FusedAdam(const std::vector<Moments>& all, const OptimizerOptions& options,
               const AdamNumbers& numbers) {
  const AdamUpdate update = {
      .rate = static_cast<float>(numbers.rate / numbers.mean_bias),
      .beta1 = static_cast<float>(options.beta1),
      .beta2 = static_cast<float>(options.beta2),
      .epsilon = static_cast<float>(options.epsilon),
      .square_correction = static_cast<float>(numbers.square_bias),
      .decay = static_cast<float>(numbers.decay),
      .gradient_scale = static_cast<float>(numbers.gradient_scale),
  };
  std::vector<torch::Tensor> gradients;  // What the stretches point to.
  std::vector<Stretch> stretches;
  for (const Moments& moments : all) {
    const torch::Tensor& gradient = moments.parameter.grad();
    if (!gradient.defined()) continue;
    gradients.push_back(gradient.is_sparse() ? gradient.coalesce() : gradient.contiguous());
    AddStretches(moments, gradients.back(), options.lazy, stretches);
  }
  ParallelFor(static_cast<int64_t>(stretches.size()), [&](int64_t i) {
    const Stretch& stretch = stretches[static_cast<size_t>(i)];
    AdamUpdate own = update;
    own.rate *= stretch.share;
    own.decay *= stretch.share;
    AdamStep(own, stretch.gradient, stretch.size, stretch.weight, stretch.mean, stretch.square);
  });
}

// The sum of squares of floats.
double FusedSquares(const torch::Tensor& values) {
  const torch::Tensor contiguous = values.contiguous();
  const auto* data = contiguous.data_ptr<float>();
  constexpr int64_t kSize = 1 << 15;
  std::vector<double> sums(static_cast<size_t>((contiguous.numel() + kSize - 1) / kSize));
  ParallelFor(static_cast<int64_t>(sums.size()), [&](int64_t i) {
    sums[static_cast<size_t>(i)] =
        SumOfSquares(data + i * kSize, std::min(kSize, contiguous.numel() - i * kSize));
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

#endif  // SEQ2SEQ_KERNELS

void PlainAdam(const Moments& moments, const OptimizerOptions& options,
               const AdamNumbers& numbers) {
  torch::Tensor parameter = moments.parameter;
  const torch::Tensor gradient = parameter.grad().to_dense() * numbers.gradient_scale;
  parameter.mul_(1 - numbers.decay * moments.share);
  moments.mean.lerp_(gradient, 1 - options.beta1);
  moments.square.mul_(options.beta2).addcmul_(gradient, gradient, 1 - options.beta2);
  const torch::Tensor scale =
      moments.square.sqrt().div_(std::sqrt(numbers.square_bias)).add_(options.epsilon);
  parameter.addcdiv_(moments.mean, scale, -numbers.rate * moments.share / numbers.mean_bias);
}

// Kingma & Ba 2015; kAdamW with the decay of Loshchilov & Hutter 2019.
class Adam : public Optimizer {
 public:
  Adam(const OptimizerOptions& options, const TensorMap& parameters, const Shares& shares)
      : options_(options) {
    const torch::NoGradGuard no_grad;
    for (const auto& [name, parameter] : parameters) {
      moments_.push_back({name, ShareOf(shares, name), parameter, torch::zeros_like(parameter),
                          torch::zeros_like(parameter)});
    }
  }

  void Step(double rate, int64_t update, double gradient_scale) override {
    const PhaseTimer timer(Phase::kOptimizer);
    const torch::NoGradGuard no_grad;
    const auto count = static_cast<double>(update);
    const AdamNumbers numbers = {
        .rate = rate,
        .mean_bias = 1 - std::pow(options_.beta1, count),
        .square_bias = 1 - std::pow(options_.beta2, count),
        .decay = options_.kind == OptimizerKind::kAdamW ? rate * options_.weight_decay : 0,
        .gradient_scale = gradient_scale};
#if SEQ2SEQ_KERNELS
    if (std::all_of(moments_.begin(), moments_.end(), [](const Moments& moments) {
          return UsesKernels(moments.parameter) && moments.parameter.is_contiguous();
        })) {
      return FusedAdam(moments_, options_, numbers);
    }
#endif
    for (const Moments& moments : moments_) {
      if (moments.parameter.grad().defined()) PlainAdam(moments, options_, numbers);
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
  OptimizerOptions options_;
  std::vector<Moments> moments_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options,
                                         const TensorMap& parameters,
                                         const std::map<std::string, double>& shares) {
  switch (options.kind) {
    case OptimizerKind::kAdam:
    case OptimizerKind::kAdamW:
      return std::make_unique<Adam>(options, parameters, shares);
    case OptimizerKind::kSgd:
      return std::make_unique<Sgd>(options, parameters, shares);
    case OptimizerKind::kAdagrad:
      return std::make_unique<Adagrad>(options, parameters, shares);
    case OptimizerKind::kRmsprop:
      return std::make_unique<Rmsprop>(options, parameters, shares);
  }
  TORCH_CHECK(false, "no such optimizer: ", static_cast<int>(options.kind));
}

void ShapeGradients(const OptimizerOptions& options, const TensorMap& parameters) {
  if (options.l2 == 0 && options.l2_recurrent == 0 && options.clip_value == 0) return;
  const torch::NoGradGuard no_grad;
  for (const auto& [name, parameter] : parameters) {
    torch::Tensor& gradient = parameter.mutable_grad();
    if (!gradient.defined()) continue;
    const bool recurrent = absl::EndsWith(name, "weight_hh");
    const double penalty = recurrent ? options.l2_recurrent : options.l2;
    const bool embedding = absl::EndsWith(name, "embedding.weight");
    if (penalty > 0 && parameter.dim() > 1 && !embedding) gradient.add_(parameter, penalty);
    if (options.clip_value == 0) continue;
    if (gradient.is_sparse()) {
      gradient = gradient.coalesce();
      gradient._values().clamp_(-options.clip_value, options.clip_value);
    } else {
      gradient.clamp_(-options.clip_value, options.clip_value);
    }
  }
}

double GradientNorm(const TensorMap& parameters) {
  const PhaseTimer timer(Phase::kOptimizer);
  const torch::NoGradGuard no_grad;
  double squares = 0;
  for (const auto& [name, parameter] : parameters) {
    torch::Tensor gradient = parameter.grad();
    if (!gradient.defined()) continue;
    if (gradient.is_sparse()) gradient = gradient.coalesce()._values();
#if SEQ2SEQ_KERNELS
    if (UsesKernels(gradient)) {
      squares += FusedSquares(gradient);
      continue;
    }
#endif
    squares += std::pow(gradient.norm().item<double>(), 2);
  }
  return std::sqrt(squares);
}

}  // namespace seq2seq
