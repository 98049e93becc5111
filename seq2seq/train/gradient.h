// Gradients of a batch: computed in parts that fit into memory, L2 penalties, clipping, norm.
#ifndef SEQ2SEQ_TRAIN_GRADIENT_H_
#define SEQ2SEQ_TRAIN_GRADIENT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include <c10/core/Device.h>

#include "seq2seq/data/batch.h"
#include "seq2seq/model/model.h"
#include "seq2seq/model/parameters.h"
#include "seq2seq/model/teacher_forcing.h"
#include "seq2seq/train/gradient_exchange.h"
#include "seq2seq/train/memory_plan.h"
#include "seq2seq/train/optimizer.h"

namespace seq2seq {

// What a loss depends on besides weights and data.
struct LossOptions {
  TeacherForcing forcing;
  LossTerms terms = {};                                       // But for scale and distillation.
  uint64_t seed = 0;                                          // Of dropout and scheduled sampling.
  int64_t tokens = 1;                                         // Divides the loss.
  std::function<Distillation(const Batch&)> teach = nullptr;  // Of a batch on the device.
};

// Sums of a loss over tokens.
struct LossSums {
  double nll = 0;
  double correct = 0;
  int64_t tokens = 0;
};

// Sets the gradients of `model`, on `device`, to that of the loss of `batches`, summed over tokens
// and divided by options.tokens. The batches are computed in the parts of `memory`; where it runs
// out, parts become half as large, which `warn` is told, and the computation starts again. With
// `exchange`, of several processes, the gradients are sent as they are completed, for its Finish,
// and there may be no batch. Reseeds LibTorch's default generators. Throws the exceptions of
// LibTorch, out of memory for a single row, or where gradients have been sent, among them.
LossSums ComputeGradient(Model model, c10::Device device, const std::vector<Batch>& batches,
                         const LossOptions& options, MemoryPlan& memory,
                         absl::FunctionRef<void(const std::string&)> warn,
                         GradientExchange* exchange = nullptr);

// Multiplies the gradients of `parameters`.
void ScaleGradients(const TensorMap& parameters, double factor);

// Frees the gradients of `parameters`, which are then undefined.
void DropGradients(const TensorMap& parameters);

// Adds the gradients of the L2 penalties of `options`, then clips elements to clip_value.
void ShapeGradients(const OptimizerOptions& options, const TensorMap& parameters);

// The global norm of the gradients of `parameters`.
double GradientNorm(const TensorMap& parameters);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_GRADIENT_H_
