// Optimisers: Adam, AdamW, SGD, Adagrad, RMSprop.
#ifndef SEQ2SEQ_TRAIN_OPTIMIZER_H_
#define SEQ2SEQ_TRAIN_OPTIMIZER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "seq2seq/model/parameters.h"

namespace seq2seq {

enum class OptimizerKind { kAdam, kAdamW, kSgd, kAdagrad, kRmsprop };

inline std::vector<std::string> EnumTexts(OptimizerKind) {
  return {"adam", "adamw", "sgd", "adagrad", "rmsprop"};
}

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kAdam;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
  double momentum = 0;
  bool nesterov = false;
  double l2 = 0;
  double l2_recurrent = 0;
  bool lazy = false;
  double clip_norm = 1.0;
  double clip_value = 0;

  template <typename V>
  void Visit(V&& visit) {
    visit("kind", kind,
          "adam: fastest to converge, two state tensors per parameter; adamw: adam with decoupled "
          "weight decay; sgd: no state; adagrad, rmsprop: one state tensor per parameter.");
    visit("beta1", beta1,
          "adam, adamw: decay of the mean gradient (first moment); 0 or more and less than 1.");
    visit("beta2", beta2,
          "adam, adamw, rmsprop: decay of the mean squared gradient (second moment); 0 or more and "
          "less than 1. 0.98 adapts faster.");
    visit("epsilon", epsilon,
          "adam, adamw, adagrad, rmsprop: added to the denominator, more than 0. Raise it if small "
          "gradients cause large updates.");
    visit("weight_decay", weight_decay,
          "adamw: share of each weight, times the learning rate, that an update subtracts; 0 or "
          "more.");
    visit("momentum", momentum,
          "sgd, rmsprop: momentum, 0 or more and less than 1, such as 0.9; adds one state tensor "
          "per parameter.");
    visit("nesterov", nesterov, "sgd: Nesterov momentum (Sutskever et al. 2013); needs momentum.");
    visit("l2", l2,
          "Weight of the L2 penalty, half the sum of squares, on matrices except embeddings and "
          "recurrent ones; 0 is none, 0.00001 is strong.");
    visit("l2_recurrent", l2_recurrent,
          "Weight of the same penalty on the recurrent (hidden to hidden) matrices, which l2 "
          "leaves out.");
    visit("lazy", lazy,
          "adam, adamw: lazy Adam, which skips embedding rows without a gradient in this batch "
          "(CPU kernels only). Saves time with large vocabularies; exact Adam updates all rows.");
    visit("clip_norm", clip_norm,
          "Maximum global norm of the gradients, which are scaled down to it; 0 is no clipping.");
    visit("clip_value", clip_value,
          "Maximum magnitude of each element of a gradient, which is clipped to it before "
          "clip_norm; 0 is no clipping.");
  }
};

// InvalidArgument, naming the key of train.optimizer and its value, if an option is out of range.
absl::Status Validate(const OptimizerOptions& options);

// Parameters that are trained with the same share of the learning rate.
struct OptimizerGroup {
  TensorMap parameters;
  double rate_share = 1;  // Factor on the learning rate.
};

// Updates parameters in place; those without a gradient stay unchanged. Gradients of embeddings may
// be sparse. If all parameters are floats on the CPU, Adam takes one pass over memory, on all
// threads.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // One update with learning rate `rate` by the gradients times `gradient_scale`.
  virtual void Step(double rate, double gradient_scale = 1.0) = 0;

  // The optimiser state by names of parameters, sharing storage with the optimiser.
  virtual TensorMap State() const = 0;
};

// An optimiser of `groups`, which have no parameter in common; its state starts at zero.
std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options,
                                         const std::vector<OptimizerGroup>& groups);

// Adds the counts of updates that are missing in the stored State of older Adam optimisers, after
// `update` updates in all: `update` for a parameter whose mean gradient is not zero, else 0.
void AddCounts(int64_t update, TensorMap& state);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_OPTIMIZER_H_
