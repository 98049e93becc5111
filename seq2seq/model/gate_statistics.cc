#include "seq2seq/model/gate_statistics.h"

#include <torch/torch.h>

namespace seq2seq {
namespace {

thread_local GateStatistics* current = nullptr;

}  // namespace

GateStatistics::GateStatistics() : before_(current) { current = this; }

GateStatistics::~GateStatistics() { current = before_; }

void GateStatistics::Add(const torch::nn::Module* cell, const torch::Tensor& gates) {
  if (current == nullptr) return;
  const torch::NoGradGuard no_grad;
  Count& count = current->counts_[cell];
  count.saturated += gates.lt(0.05).logical_or(gates.gt(0.95)).sum().item<int64_t>();
  count.gates += gates.numel();
}

}  // namespace seq2seq
