// From gradients to better parameters.
#ifndef SEQ2SEQ_TRAIN_OPTIMIZER_H_
#define SEQ2SEQ_TRAIN_OPTIMIZER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "seq2seq/model/weights.h"

namespace seq2seq {

enum class OptimizerKind { kAdam, kSgd };

inline std::vector<std::string> EnumTexts(OptimizerKind) { return {"adam", "sgd"}; }

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kAdam;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double clip_norm = 1.0;

  template <typename V>
  void Visit(V&& visit) {
    visit("kind", kind,
          "adam learns sooner and keeps two more copies of the weights; sgd keeps none.");
    visit("beta1", beta1, "adam: memory of the mean gradient.");
    visit("beta2", beta2, "adam: memory of the squared gradient. 0.98 follows changes sooner.");
    visit("epsilon", epsilon, "adam: keeps small gradients from large steps.");
    visit("clip_norm", clip_norm,
          "Gradients with a larger norm are scaled down to it; 0 leaves them alone.");
  }
};

// Updates parameters in place. Parameters without a gradient are left alone.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // One update with learning rate `rate`; `update` counts from 1.
  virtual void Step(double rate, int64_t update) = 0;

  // What it remembers, by the names of the parameters, sharing memory with it; and taking that
  // back. Restore is InvalidArgument, naming `path` and the tensor, if something does not fit.
  virtual TensorMap State() const = 0;
  absl::Status Restore(const TensorMap& state, const std::string& path);
};

std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options,
                                         const TensorMap& parameters);

// Scales the gradients of `parameters` so that their joint norm is at most `max_norm`, unless that
// is 0, and returns the norm they had.
double ClipGradients(const TensorMap& parameters, double max_norm);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_OPTIMIZER_H_
