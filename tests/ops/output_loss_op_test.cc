#include "seq2seq/ops/output_loss_op.h"

#include <utility>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/model/loss.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

TEST(FusedCrossEntropy, WithTeachersAgreesWithLibTorchOperations) {
  const Batch batch = MakeBatch({{{4}, {5, 6}}, {{4}, {}}, {{4}, {7}}});
  torch::manual_seed(1);
  constexpr int64_t kVocab = 9;
  const torch::Tensor outputs = torch::randn({3, 3, 5}).requires_grad_();
  const torch::Tensor weight = torch::randn({kVocab, 5}).requires_grad_();
  const torch::Tensor bias = torch::randn({kVocab}).requires_grad_();
  Distillation distillation;
  for (const int64_t size : {4, 7}) {
    distillation.teachers.push_back(
        {torch::randn({3, 3, size}), torch::randn({kVocab, size}), torch::randn({kVocab})});
  }
  for (const auto& [share, temperature] : {std::pair{0.3, 1.0}, {1.0, 2.0}}) {
    distillation.weight = share;
    distillation.temperature = temperature;
    const auto gradients = [&](const torch::Tensor& objective) {
      return torch::autograd::grad({objective}, {outputs, weight, bias});
    };
    const Loss plain = CrossEntropy(torch::linear(SelectTokens(outputs, batch), weight, bias),
                                    batch, 0.1, distillation);
    const Loss fused = FusedCrossEntropy(outputs, batch.target_output, weight, bias, 0.1,
                                         /*scale=*/1, /*dropout=*/0, distillation);
    EXPECT_NEAR(plain.objective.item<double>(), fused.objective.item<double>(), 1e-4);
    EXPECT_NEAR(plain.nll.item<double>(), fused.nll.item<double>(), 1e-4);
    const auto expected = gradients(plain.objective), found = gradients(fused.objective);
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_LT(MaxDifference(expected[i], found[i]), 1e-5) << i;
  }
}

}  // namespace
}  // namespace seq2seq
