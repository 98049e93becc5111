#include "seq2seq/train/gradient.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <numeric>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <torch/torch.h>

#include "seq2seq/base/profile.h"
#include "seq2seq/data/split_batch.h"
#include "seq2seq/model/loss.h"
#include "seq2seq/model/out_of_memory.h"
#include "seq2seq/ops/compute.h"
#if SEQ2SEQ_KERNELS
#include "seq2seq/kernels/adam.h"
#include "seq2seq/kernels/parallel.h"
#endif

namespace seq2seq {
namespace {

#if SEQ2SEQ_KERNELS

// The sum of the squares of float values.
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

}  // namespace

LossSums ComputeGradient(Model model, c10::Device device, const std::vector<Batch>& batches,
                         const LossOptions& options, MemoryPlan& memory,
                         absl::FunctionRef<void(const std::string&)> warn,
                         GradientExchange* exchange) {
  const double scale = 1.0 / static_cast<double>(options.tokens);
  while (true) {
    torch::manual_seed(options.seed);
    // Undefined gradients instead of zeros: the first one of each parameter needs no addition.
    DropGradients(Parameters(*model));
    if (exchange != nullptr) exchange->Begin();
    BatchShape shape;     // Of the current part,
    int64_t sources = 0;  // and its sources, one of which stays with its targets.
    try {
      std::vector<Batch> parts;
      int64_t tokens = 0;
      for (const Batch& batch : batches) {
        tokens += batch.target_tokens;
        for (Batch& part : memory.Split(batch)) parts.push_back(std::move(part));
      }
      // [2] for each part, fetched together: each fetch waits for the device.
      std::vector<torch::Tensor> sums;
      for (const Batch& part : parts) {
        shape = ShapeOf(part);
        sources = part.size();
        const Batch on_device = part.To(device);
        LossTerms terms = options.terms;
        terms.scale = scale;
        if (options.teach) terms.distillation = options.teach(on_device);
        const Loss loss = model->ComputeLoss(on_device, options.forcing, terms);
        if (&part == &parts.back() && exchange != nullptr) exchange->ExpectLastPass();
        loss.objective.backward();
        sums.push_back(
            torch::stack({loss.nll.to(torch::kFloat64), loss.correct.to(torch::kFloat64)}));
      }
      if (sums.empty()) return {};
      const torch::Tensor sum = torch::stack(sums).sum(0).to(torch::kCPU);
      return {sum[0].item<double>(), sum[1].item<double>(), tokens};
    } catch (const std::exception& error) {
      const bool sent = exchange != nullptr && exchange->has_sent();
      if (!IsOutOfMemory(error) || sources < 2 || sent) throw;
      memory.Halve(shape);
      warn(absl::StrCat(
          "out of memory for ", shape.rows, " x ", shape.source, " x ", shape.target,
          " tokens (rows x source x target) at once; continuing with parts half as large"));
    }
  }
}

void ScaleGradients(const TensorMap& parameters, double factor) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, parameter] : parameters) {
    torch::Tensor& gradient = parameter.mutable_grad();
    if (gradient.defined()) gradient.mul_(factor);
  }
}

void DropGradients(const TensorMap& parameters) {
  for (const auto& [name, parameter] : parameters) parameter.mutable_grad() = torch::Tensor();
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
    if (penalty > 0 && parameter.dim() > 1 && !embedding) {
      if (gradient.is_sparse()) gradient = gradient.to_dense();  // Of a sampled softmax.
      gradient.add_(parameter, penalty);
    }
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
  std::vector<torch::Tensor> others;  // Fetched together: each fetch waits for the device.
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
    others.push_back(gradient);
  }
  if (!others.empty()) {
    const torch::Tensor norms = torch::stack(at::_foreach_norm(others));
    squares += norms.to(torch::kFloat64).square().sum().item<double>();
  }
  return std::sqrt(squares);
}

}  // namespace seq2seq
