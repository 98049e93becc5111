// Training under autocast, as on CUDA with train.precision bf16; LibTorch's for the CPU stands in.
#include <string>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include <ATen/autocast_mode.h>
#include <torch/torch.h>
#include <torch/version.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/model/recurrent_decoder.h"
#include "seq2seq/ops/compute.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

// Products in bf16, until it goes out of scope.
class CpuAutocast {
 public:
  CpuAutocast() {
    Set(true);
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
#else
    at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
#endif
  }
  ~CpuAutocast() {
    Set(false);
    at::autocast::clear_cache();
  }

 private:
  static void Set(bool enabled) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
    at::autocast::set_autocast_enabled(at::kCPU, enabled);
#else
    at::autocast::set_cpu_enabled(enabled);
#endif
  }

  const ComputeGuard plain_{{.fused = false}};
};

// The gradients with scheduled sampling, undefined where there are none.
TensorMap Gradients(Model model, const Batch& batch, SamplingForm form) {
  torch::manual_seed(3);
  for (auto& [name, parameter] : Parameters(*model)) parameter.mutable_grad() = torch::Tensor();
  model->ComputeLoss(batch, {.rate = 0.5, .form = form}, {.smoothing = 0.1}).objective.backward();
  TensorMap gradients;
  for (const auto& [name, parameter] : Parameters(*model))
    gradients.emplace(name, parameter.grad());
  return gradients;
}

// What autocast caches while tokens are predicted for scheduled sampling must not be used in
// training.
TEST(Autocast, ScheduledSamplingLeavesEveryParameterItsGradient) {
  for (const bool tied : {false, true}) {
    for (const SamplingForm form : {SamplingForm::kStepwise, SamplingForm::kTwoPass}) {
      SCOPED_TRACE(EnumText(form) + (tied ? ", tied" : ""));
      ModelOptions options = TinyOptions();
      options.decoder.layers = 2;
      options.decoder.tied_embeddings = tied;
      Model model = TinyModel(options, torch::kFloat32);
      const Batch batch = MakeBatch(RandomPairs(options, {{4, 6}, {3, 5}, {5, 7}}));
      const CpuAutocast autocast;
      for (const auto& [name, gradient] : Gradients(model, batch, form)) {
        ASSERT_TRUE(gradient.defined()) << name;
        EXPECT_GT(gradient.abs().max().item<double>(), 0) << name;
      }
    }
  }
}

TEST(Autocast, DecoderStartsFromStatesOf32Bits) {
  for (const CellKind cell : {CellKind::kLstm, CellKind::kRnnTanh}) {
    for (const BridgeKind kind : {BridgeKind::kZero, BridgeKind::kDense, BridgeKind::kMean,
                                  BridgeKind::kCopy, BridgeKind::kLayers}) {
      SCOPED_TRACE(EnumText(kind));
      ModelOptions options = TinyOptions();
      options.bridge = kind;
      options.encoder.cell = cell;  // States of rnn_tanh are a product's tanh.
      if (kind == BridgeKind::kLayers) options.decoder.cell = cell;
      Model model = TinyModel(options, torch::kFloat32);
      const Batch batch = MakeBatch(RandomPairs(options, {{4, 6}, {3, 5}}));
      const CpuAutocast autocast;
      const auto state = model->decoder()->Start(model->Encode(batch));
      const CellState& start = static_cast<const RecurrentDecoderState&>(*state).cells[0];
      EXPECT_EQ(start.hidden.scalar_type(), torch::kFloat32);
      if (!HasCellState(options.decoder.cell)) continue;
      EXPECT_EQ(start.cell_state.scalar_type(), torch::kFloat32);
    }
  }
}

}  // namespace
}  // namespace seq2seq
