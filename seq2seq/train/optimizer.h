// From gradients to better parameters.
#ifndef SEQ2SEQ_TRAIN_OPTIMIZER_H_
#define SEQ2SEQ_TRAIN_OPTIMIZER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "seq2seq/model/weights.h"

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
          "adam learns sooner and keeps two more copies of the weights; adamw also shrinks them; "
          "sgd keeps none; adagrad and rmsprop keep one.");
    visit("beta1", beta1, "adam, adamw: memory of the mean gradient.");
    visit("beta2", beta2,
          "adam, adamw, rmsprop: memory of the squared gradient. 0.98 follows changes sooner.");
    visit("epsilon", epsilon,
          "adam, adamw, adagrad, rmsprop: keeps small gradients from large steps.");
    visit("weight_decay", weight_decay,
          "adamw: share of a weight, times the learning rate, that each update takes off.");
    visit("momentum", momentum,
          "sgd, rmsprop: share of the step before that goes on, such as 0.9; keeps one more copy "
          "of the weights.");
    visit("nesterov", nesterov, "sgd: looks ahead along the momentum (Sutskever et al. 2013).");
    visit("l2", l2,
          "Weight of a penalty for half the squares of matrices, embeddings excepted; 0.00001 is "
          "much.");
    visit("l2_recurrent", l2_recurrent,
          "The same penalty for recurrent matrices, those that states go through, which l2 leaves "
          "out.");
    visit("lazy", lazy,
          "adam, adamw: embeddings of pieces that a batch does not hold rest, as the kernels on "
          "the CPU can tell. Saves time with large vocabularies; exact Adam moves them on.");
    visit("clip_norm", clip_norm,
          "Gradients with a larger norm are scaled down to it; 0 leaves them alone.");
    visit("clip_value", clip_value,
          "Each number of a gradient is cut to this size before that; 0 leaves them alone.");
  }
};

// Updates parameters in place. Parameters without a gradient are left alone. Gradients of
// embeddings may be sparse. Where all is floats on the CPU, Adam takes one pass over memory, on all
// threads.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // One update with learning rate `rate` by the gradients times `gradient_scale`.
  virtual void Step(double rate, double gradient_scale = 1.0) = 0;

  // What it remembers, by the names of the parameters, sharing memory with it.
  virtual TensorMap State() const = 0;
};

// Parameters go with their share of the learning rate; those that `shares` does not name, with all
// of it.
std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options,
                                         const TensorMap& parameters,
                                         const std::map<std::string, double>& shares = {});

// Adds to the stored State of an Adam that did not yet count the updates of each parameter what
// these must have been, after `update` updates in all: none where nothing is remembered.
void AddCounts(int64_t update, TensorMap& state);

// Adds the gradients of the penalties of `options`, then cuts off what is too large.
void ShapeGradients(const OptimizerOptions& options, const TensorMap& parameters);

// The joint norm of the gradients of `parameters`.
double GradientNorm(const TensorMap& parameters);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_OPTIMIZER_H_
