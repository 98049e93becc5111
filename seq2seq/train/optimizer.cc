#include "seq2seq/train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/option_rules.h"
#include "seq2seq/base/profile.h"
#include "seq2seq/ops/compute.h"
#if SEQ2SEQ_KERNELS
#include "seq2seq/kernels/adam.h"
#include "seq2seq/kernels/parallel.h"
#endif

namespace seq2seq {
namespace {

// Prefixes of the names in State: of a running mean of gradients, and of a count of updates.
constexpr char kMean[] = "mean";
constexpr char kCount[] = "count.";

using Groups = std::vector<OptimizerGroup>;

// A parameter and its optimiser state.
struct Slots {
  std::string name;
  double rate_share = 1;  // Factor on the learning rate.
  torch::Tensor parameter;
  std::vector<torch::Tensor> tensors;  // Of the shape of the parameter, initially zero.
  torch::Tensor count;  // [1], float64, on the CPU: updates of the parameter; undefined if unused.
};

// The numbers of one update of one parameter.
struct OwnUpdate {
  double rate = 0;
  double count = 0;  // Updates of the parameter, including this one.
  double gradient_scale = 1;
};

// Counts the next update of a parameter.
OwnUpdate NextUpdate(Slots& slots, double rate, double gradient_scale) {
  const double count = slots.count.defined() ? ++*slots.count.data_ptr<double>() : 0;
  return {slots.rate_share * rate, count, gradient_scale};
}

// Optimisers whose state is a few tensors of the shape of each parameter.
class SlotOptimizer : public Optimizer {
 public:
  void Step(double rate, double gradient_scale) override {
    const PhaseTimer timer(Phase::kOptimizer);
    const torch::NoGradGuard no_grad;
    for (Slots& slots : slots_) {
      if (!slots.parameter.grad().defined()) continue;
      Apply(NextUpdate(slots, rate, gradient_scale), slots);
    }
  }

  TensorMap State() const override {
    TensorMap state;
    for (const Slots& slots : slots_) {
      for (size_t i = 0; i < names_.size(); ++i)
        state.emplace(absl::StrCat(names_[i], ".", slots.name), slots.tensors[i]);
      if (slots.count.defined()) state.emplace(absl::StrCat(kCount, slots.name), slots.count);
    }
    return state;
  }

 protected:
  SlotOptimizer(const Groups& groups, std::vector<std::string> names, bool counts = false)
      : names_(std::move(names)) {
    const torch::NoGradGuard no_grad;
    for (const OptimizerGroup& group : groups) {
      for (const auto& [name, parameter] : group.parameters) {
        slots_.push_back({name, group.rate_share, parameter, {}, {}});
        if (counts) slots_.back().count = torch::zeros({1}, torch::kFloat64);
        for (size_t i = 0; i < names_.size(); ++i)
          slots_.back().tensors.push_back(torch::zeros_like(parameter));
      }
    }
  }

  // Updates one parameter by its gradient.
  virtual void Apply(const OwnUpdate& update, Slots& slots) = 0;

  std::vector<Slots>& slots() { return slots_; }

 private:
  std::vector<std::string> names_;
  std::vector<Slots> slots_;
};

// SGD with momentum (Polyak 1964) or Nesterov momentum (Sutskever et al. 2013).
class Sgd : public SlotOptimizer {
 public:
  Sgd(const OptimizerOptions& options, const Groups& groups)
      : SlotOptimizer(groups, options.momentum > 0 ? std::vector<std::string>{"momentum"}
                                                   : std::vector<std::string>()),
        momentum_(options.momentum),
        nesterov_(options.nesterov) {}

 protected:
  void Apply(const OwnUpdate& update, Slots& slots) override {
    if (momentum_ == 0) {  // Sparse gradients stay sparse.
      slots.parameter.add_(slots.parameter.grad(), -update.rate * update.gradient_scale);
      return;
    }
    const torch::Tensor gradient = slots.parameter.grad().to_dense() * update.gradient_scale;
    torch::Tensor& step = slots.tensors[0];
    step.mul_(momentum_).add_(gradient);
    slots.parameter.add_(nesterov_ ? gradient + momentum_ * step : step, -update.rate);
  }

 private:
  double momentum_;
  bool nesterov_;
};

// Adagrad (Duchi et al. 2011).
class Adagrad : public SlotOptimizer {
 public:
  Adagrad(const OptimizerOptions& options, const Groups& groups)
      : SlotOptimizer(groups, {"square"}), epsilon_(options.epsilon) {}

 protected:
  void Apply(const OwnUpdate& update, Slots& slots) override {
    const torch::Tensor gradient = slots.parameter.grad().to_dense() * update.gradient_scale;
    torch::Tensor& square = slots.tensors[0];
    square.addcmul_(gradient, gradient);
    slots.parameter.addcdiv_(gradient, square.sqrt().add_(epsilon_), -update.rate);
  }

 private:
  double epsilon_;
};

// RMSprop (Tieleman & Hinton 2012).
class Rmsprop : public SlotOptimizer {
 public:
  Rmsprop(const OptimizerOptions& options, const Groups& groups)
      : SlotOptimizer(groups, options.momentum > 0 ? std::vector<std::string>{"square", "momentum"}
                                                   : std::vector<std::string>{"square"}),
        options_(options) {}

 protected:
  void Apply(const OwnUpdate& update, Slots& slots) override {
    const torch::Tensor gradient = slots.parameter.grad().to_dense() * update.gradient_scale;
    torch::Tensor& square = slots.tensors[0];
    square.mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
    torch::Tensor step = gradient / square.sqrt().add_(options_.epsilon);
    if (options_.momentum > 0) step = slots.tensors[1].mul_(options_.momentum).add_(step);
    slots.parameter.add_(step, -update.rate);
  }

 private:
  OptimizerOptions options_;
};

// The divisor that corrects the bias of a running mean of `count` values, which started at zero
// (Kingma & Ba 2015, section 3).
double BiasCorrection(double beta, double count) { return 1 - std::pow(beta, count); }

// The share of a weight that decoupled weight decay subtracts; 0 unless kAdamW.
double DecayOf(const OptimizerOptions& options, double rate) {
  return options.kind == OptimizerKind::kAdamW ? rate * options.weight_decay : 0;
}

#if SEQ2SEQ_KERNELS

// A contiguous part of a parameter, which one task updates.
struct Stretch {
  const float* gradient = nullptr;  // Null for zeros.
  int64_t size = 0;
  float* weight = nullptr;
  float* mean = nullptr;
  float* square = nullptr;
  AdamUpdate update;
};

// The stretches of a parameter. A sparse gradient has one per row that it holds and, unless `lazy`,
// one per gap between these.
void AddStretches(const Slots& slots, const torch::Tensor& gradient, bool lazy,
                  const AdamUpdate& update, std::vector<Stretch>& stretches) {
  auto* weight = slots.parameter.data_ptr<float>();
  auto* mean = slots.tensors[0].data_ptr<float>();
  auto* square = slots.tensors[1].data_ptr<float>();
  const auto add = [&](const float* values, int64_t offset, int64_t size) {
    stretches.push_back({values, size, weight + offset, mean + offset, square + offset, update});
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
  int64_t next = 0;  // The first row without a stretch.
  for (int64_t i = 0; i < rows; ++i) {
    if (!lazy && row[i] > next) add(nullptr, next * size, (row[i] - next) * size);
    add(values.data_ptr<float>() + i * size, row[i] * size, size);
    next = row[i] + 1;
  }
  if (!lazy && next < gradient.size(0)) {
    add(nullptr, next * size, (gradient.size(0) - next) * size);
  }
}

void FusedAdam(std::vector<Slots>& all, const OptimizerOptions& options, double rate,
               double gradient_scale) {
  std::vector<torch::Tensor> gradients;  // The stretches point into these.
  std::vector<Stretch> stretches;
  for (Slots& slots : all) {
    const torch::Tensor& gradient = slots.parameter.grad();
    if (!gradient.defined()) continue;
    const OwnUpdate own = NextUpdate(slots, rate, gradient_scale);
    const AdamUpdate numbers = {
        .rate = static_cast<float>(own.rate / BiasCorrection(options.beta1, own.count)),
        .beta1 = static_cast<float>(options.beta1),
        .beta2 = static_cast<float>(options.beta2),
        .epsilon = static_cast<float>(options.epsilon),
        .square_correction = static_cast<float>(BiasCorrection(options.beta2, own.count)),
        .decay = static_cast<float>(DecayOf(options, own.rate)),
        .gradient_scale = static_cast<float>(own.gradient_scale),
    };
    gradients.push_back(gradient.is_sparse() ? gradient.coalesce() : gradient.contiguous());
    AddStretches(slots, gradients.back(), options.lazy, numbers, stretches);
  }
  ParallelFor(static_cast<int64_t>(stretches.size()), [&](int64_t i) {
    const Stretch& stretch = stretches[static_cast<size_t>(i)];
    AdamStep(stretch.update, stretch.gradient, stretch.size, stretch.weight, stretch.mean,
             stretch.square);
  });
}

#endif  // SEQ2SEQ_KERNELS

// Adam (Kingma & Ba 2015); kAdamW with decoupled weight decay (Loshchilov & Hutter 2019).
class Adam : public SlotOptimizer {
 public:
  Adam(const OptimizerOptions& options, const Groups& groups)
      : SlotOptimizer(groups, {kMean, "square"}, /*counts=*/true), options_(options) {}

  void Step(double rate, double gradient_scale) override {
#if SEQ2SEQ_KERNELS
    if (std::all_of(slots().begin(), slots().end(), [](const Slots& slots) {
          return UsesKernels(slots.parameter) && slots.parameter.is_contiguous();
        })) {
      const PhaseTimer timer(Phase::kOptimizer);
      const torch::NoGradGuard no_grad;
      return FusedAdam(slots(), options_, rate, gradient_scale);
    }
#endif
    SlotOptimizer::Step(rate, gradient_scale);
  }

 protected:
  void Apply(const OwnUpdate& update, Slots& slots) override {
    const torch::Tensor gradient = slots.parameter.grad().to_dense() * update.gradient_scale;
    torch::Tensor &mean = slots.tensors[0], &square = slots.tensors[1];
    slots.parameter.mul_(1 - DecayOf(options_, update.rate));
    mean.lerp_(gradient, 1 - options_.beta1);
    square.mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
    const torch::Tensor scale = square.sqrt()
                                    .div_(std::sqrt(BiasCorrection(options_.beta2, update.count)))
                                    .add_(options_.epsilon);
    slots.parameter.addcdiv_(mean, scale,
                             -update.rate / BiasCorrection(options_.beta1, update.count));
  }

 private:
  OptimizerOptions options_;
};

}  // namespace

absl::Status Validate(const OptimizerOptions& options) {
  const OptimizerKind kind = options.kind;
  const bool adam = kind == OptimizerKind::kAdam || kind == OptimizerKind::kAdamW;
  OptionRules rules;
  rules.ExpectShare("train.optimizer.beta1", options.beta1);
  rules.ExpectShare("train.optimizer.beta2", options.beta2);
  rules.Expect("train.optimizer.clip_norm", options.clip_norm, options.clip_norm >= 0, "0 or more");
  rules.Expect("train.optimizer.epsilon", options.epsilon, options.epsilon > 0, "more than 0");
  rules.Expect("train.optimizer.weight_decay", options.weight_decay, options.weight_decay >= 0,
               "0 or more");
  rules.ExpectShare("train.optimizer.momentum", options.momentum);
  rules.Expect(
      "train.optimizer.momentum", options.momentum,
      options.momentum == 0 || kind == OptimizerKind::kSgd || kind == OptimizerKind::kRmsprop,
      "0 unless kind is sgd or rmsprop");
  rules.Expect("train.optimizer.lazy", options.lazy ? "true" : "false", !options.lazy || adam,
               "false unless kind is adam or adamw");
  rules.Expect("train.optimizer.nesterov", options.nesterov ? "true" : "false",
               !options.nesterov || (kind == OptimizerKind::kSgd && options.momentum > 0),
               "false unless kind is sgd, with momentum");
  rules.Expect("train.optimizer.l2", options.l2, options.l2 >= 0, "0 or more");
  rules.Expect("train.optimizer.l2_recurrent", options.l2_recurrent, options.l2_recurrent >= 0,
               "0 or more");
  rules.Expect("train.optimizer.clip_value", options.clip_value, options.clip_value >= 0,
               "0 or more");
  return rules.status();
}

std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options,
                                         const std::vector<OptimizerGroup>& groups) {
  switch (options.kind) {
    case OptimizerKind::kAdam:
    case OptimizerKind::kAdamW:
      return std::make_unique<Adam>(options, groups);
    case OptimizerKind::kSgd:
      return std::make_unique<Sgd>(options, groups);
    case OptimizerKind::kAdagrad:
      return std::make_unique<Adagrad>(options, groups);
    case OptimizerKind::kRmsprop:
      return std::make_unique<Rmsprop>(options, groups);
  }
  TORCH_CHECK(false, "no such optimizer: ", static_cast<int>(options.kind));
}

void AddCounts(int64_t update, TensorMap& state) {
  const std::string prefix = absl::StrCat(kMean, ".");
  TensorMap counts;
  for (const auto& [name, mean] : state) {
    if (!absl::StartsWith(name, prefix)) continue;
    const bool moved = mean.count_nonzero().item<int64_t>() > 0;
    counts.emplace(kCount + name.substr(prefix.size()),
                   torch::full({1}, moved ? update : 0, torch::kFloat64));
  }
  state.merge(counts);  // Keeps existing counts.
}

}  // namespace seq2seq
