// From gradients to better parameters.
#ifndef SEQ2SEQ_TRAIN_OPTIMIZER_H_
#define SEQ2SEQ_TRAIN_OPTIMIZER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "seq2seq/model/weights.h"

namespace seq2seq {

enum class OptimizerKind { kAdam, kAdamW, kSgd };

inline std::vector<std::string> EnumTexts(OptimizerKind) { return {"adam", "adamw", "sgd"}; }

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kAdam;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
  bool lazy = false;
  double clip_norm = 1.0;

  template <typename V>
  void Visit(V&& visit) {
    visit(
        "kind", kind,
        "adam learns sooner and keeps two more copies of the weights; adamw also shrinks them; sgd "
        "keeps none.");
    visit("beta1", beta1, "adam, adamw: memory of the mean gradient.");
    visit("beta2", beta2,
          "adam, adamw: memory of the squared gradient. 0.98 follows changes sooner.");
    visit("epsilon", epsilon, "adam, adamw: keeps small gradients from large steps.");
    visit("weight_decay", weight_decay,
          "adamw: share of a weight, times the learning rate, that each update takes off.");
    visit(
        "lazy", lazy,
        "adam, adamw: embeddings of pieces that a batch does not hold rest, as the kernels on the "
        "CPU can tell. Saves time with large vocabularies; exact Adam moves them on.");
    visit("clip_norm", clip_norm,
          "Gradients with a larger norm are scaled down to it; 0 leaves them alone.");
  }
};

// Updates parameters in place. Parameters without a gradient are left alone. Gradients of
// embeddings may be sparse. Where all is floats on the CPU, Adam takes one pass over memory, on all
// threads.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // One update with learning rate `rate` by the gradients times `gradient_scale`; `update` counts
  // from 1.
  virtual void Step(double rate, int64_t update, double gradient_scale = 1.0) = 0;

  // What it remembers, by the names of the parameters, sharing memory with it; and taking that
  // back. Restore is InvalidArgument, naming `path` and the tensor, if something does not fit.
  virtual TensorMap State() const = 0;
  absl::Status Restore(const TensorMap& state, const std::string& path);
};

// Parameters named in `shares` get that share of the learning rate.
std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options,
                                         const TensorMap& parameters,
                                         const std::map<std::string, double>& shares = {});

// The joint norm of the gradients of `parameters`.
double GradientNorm(const TensorMap& parameters);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_OPTIMIZER_H_
