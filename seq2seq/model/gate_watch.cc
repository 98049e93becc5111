#include "seq2seq/model/gate_watch.h"

#include <torch/torch.h>

namespace seq2seq {
namespace {

thread_local GateWatch* watching = nullptr;

}  // namespace

GateWatch::GateWatch() : before_(watching) { watching = this; }

GateWatch::~GateWatch() { watching = before_; }

void GateWatch::Saw(const torch::nn::Module* cell, const torch::Tensor& gates) {
  if (watching == nullptr) return;
  const torch::NoGradGuard no_grad;
  Count& count = watching->counts_[cell];
  count.saturated += gates.lt(0.05).logical_or(gates.gt(0.95)).sum().item<int64_t>();
  count.gates += gates.numel();
}

}  // namespace seq2seq
