#include "seq2seq/model/gate_statistics.h"

#include <torch/torch.h>

namespace seq2seq {
namespace {

thread_local GateStatistics* watching = nullptr;

}  // namespace

GateStatistics::GateStatistics() : before_(watching) { watching = this; }

GateStatistics::~GateStatistics() { watching = before_; }

void GateStatistics::Saw(const torch::nn::Module* cell, const torch::Tensor& gates) {
  if (watching == nullptr) return;
  const torch::NoGradGuard no_grad;
  Count& count = watching->counts_[cell];
  count.saturated += gates.lt(0.05).logical_or(gates.gt(0.95)).sum().item<int64_t>();
  count.gates += gates.numel();
}

}  // namespace seq2seq
