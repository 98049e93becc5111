// The parts of Transformer and SSRU layers agree with LibTorch's operations, in values and in
// gradients.
#include "seq2seq/ops/transformer_ops.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/kernels/parallel.h"
#include "seq2seq/ops/recurrent_ops.h"
#include "seq2seq/ops/sequence_ops.h"

namespace seq2seq {
namespace {

using Tensors = std::vector<torch::Tensor>;
using Function = std::function<torch::Tensor(const Tensors& inputs)>;

std::shared_ptr<const SequenceRows> RowsWith(const std::vector<int64_t>& lengths) {
  return std::make_shared<const SequenceRows>(lengths);
}

// Random values, zero past the last token.
torch::Tensor RandomRows(const SequenceRows& rows, int64_t size) {
  torch::Tensor values = torch::randn({rows.rows(), size});
  values.slice(0, rows.tokens()).zero_();
  return values;
}

// The output, and the gradients of all inputs given that of the output.
Tensors Pass(const Function& function, const Tensors& inputs, const torch::Tensor& of_output) {
  Tensors leaves;
  for (const torch::Tensor& input : inputs)
    leaves.push_back(input.detach().clone().requires_grad_(true));
  const torch::Tensor output = function(leaves);
  output.backward(of_output.to(output.dtype()));
  Tensors results = {output.detach()};
  for (const torch::Tensor& leaf : leaves) results.push_back(leaf.grad());
  return results;
}

// `plain` is computed in double. With one thread and with two, `fused` has the same bits.
void ExpectAgreement(const Function& fused, const Function& plain, const Tensors& inputs,
                     const torch::Tensor& of_output, const std::string& what) {
  const Tensors expected = Pass(
      [&](const Tensors& floats) {
        Tensors doubles;
        for (const torch::Tensor& input : floats) doubles.push_back(input.to(torch::kFloat64));
        return plain(doubles);
      },
      inputs, of_output);
  SetParallelThreads(1);
  const Tensors one = Pass(fused, inputs, of_output);
  SetParallelThreads(2);
  const Tensors two = Pass(fused, inputs, of_output);
  SetParallelThreads(0);
  ASSERT_EQ(one.size(), expected.size());
  for (size_t i = 0; i < one.size(); ++i) {
    const std::string name = i == 0 ? what : absl::StrCat(what, ", gradient ", i - 1);
    EXPECT_TRUE(torch::equal(one[i], two[i])) << name;
    const double size = std::max(1.0, expected[i].abs().max().item<double>());
    EXPECT_LT((one[i].to(torch::kFloat64) - expected[i]).abs().max().item<double>(), 1e-5 * size)
        << name;
  }
}

const std::vector<std::vector<int64_t>>& TransformerBatches() {
  static const auto* batches =
      new std::vector<std::vector<int64_t>>{{1}, {16}, {3, 1, 5}, {7, 7, 7, 7}, {30, 2, 60, 1, 9}};
  return *batches;
}

// Softmax attention of a sentence and head.
torch::Tensor PlainHead(const torch::Tensor& queries, const torch::Tensor& keys,
                        const torch::Tensor& values, bool causal) {
  torch::Tensor scores = queries.matmul(keys.t()) / std::sqrt(static_cast<double>(queries.size(1)));
  if (causal) {
    const torch::Tensor later = torch::ones_like(scores).triu(1).to(torch::kBool);
    scores = scores.masked_fill(later, -1e30);
  }
  return torch::softmax(scores, 1).matmul(values);
}

torch::Tensor PlainMultiHeadAttention(const torch::Tensor& queries, const torch::Tensor& keys,
                                      const torch::Tensor& values, const SequenceRows& rows,
                                      const SequenceRows& memory_rows, int64_t heads, bool causal) {
  Tensors sentences;
  for (int64_t i = 0; i < rows.batch(); ++i) {
    const torch::Tensor q = queries.narrow(0, rows.begin(i), rows.length(i));
    const torch::Tensor k = keys.narrow(0, memory_rows.begin(i), memory_rows.length(i));
    const torch::Tensor v = values.narrow(0, memory_rows.begin(i), memory_rows.length(i));
    const Tensors q_heads = q.chunk(heads, 1);
    const Tensors k_heads = k.chunk(heads, 1);
    const Tensors v_heads = v.chunk(heads, 1);
    Tensors outputs;
    for (size_t head = 0; head < q_heads.size(); ++head)
      outputs.push_back(PlainHead(q_heads[head], k_heads[head], v_heads[head], causal));
    sentences.push_back(torch::cat(outputs, 1));
  }
  sentences.push_back(
      torch::zeros({rows.rows() - rows.tokens(), queries.size(1)}, queries.options()));
  return torch::cat(sentences, 0);
}

TEST(FusedSelfAttention, AgreesWithPlain) {
  torch::manual_seed(1);
  for (const auto& lengths : TransformerBatches()) {
    const auto rows = RowsWith(lengths);
    for (const auto& [heads, size] :
         {std::pair<int64_t, int64_t>{1, 16}, {4, 64}, {2, 128}, {3, 30}}) {
      for (const bool causal : {false, true}) {
        const int64_t count = heads;
        ExpectAgreement(
            [&](const Tensors& in) {
              return FusedSelfAttention(in[0], rows, {.heads = count, .causal = causal},
                                        kEncoderPhases);
            },
            [&](const Tensors& in) {
              const Tensors parts = in[0].chunk(3, 1);
              return PlainMultiHeadAttention(parts[0], parts[1], parts[2], *rows, *rows, count,
                                             causal);
            },
            {RandomRows(*rows, 3 * size)}, RandomRows(*rows, size),
            absl::StrCat(heads, " heads of ", size, causal ? ", causal" : ""));
      }
    }
  }
}

TEST(FusedCrossAttention, AgreesWithPlain) {
  torch::manual_seed(1);
  for (const auto& lengths : TransformerBatches()) {
    const auto rows = RowsWith(lengths);
    std::vector<int64_t> others;
    for (const int64_t length : lengths) others.push_back(1 + length * 7 % 40);
    const auto memory_rows = RowsWith(others);
    for (const auto& [heads, size] : {std::pair<int64_t, int64_t>{4, 64}, {3, 30}}) {
      const int64_t count = heads;
      ExpectAgreement(
          [&](const Tensors& in) {
            return FusedCrossAttention(in[0], in[1], rows, memory_rows, {.heads = count},
                                       kDecoderPhases);
          },
          [&](const Tensors& in) {
            const Tensors parts = in[1].chunk(2, 1);
            return PlainMultiHeadAttention(in[0], parts[0], parts[1], *rows, *memory_rows, count,
                                           false);
          },
          {RandomRows(*rows, size), RandomRows(*memory_rows, 2 * size)}, RandomRows(*rows, size),
          absl::StrCat(heads, " heads of ", size));
    }
  }
}

// The output is linear in the values as long as the same weights are dropped.
TEST(FusedSelfAttention, DropsTheSameWeightsInBothPasses) {
  torch::manual_seed(1);
  const auto rows = RowsWith({20, 1, 9});
  const torch::Tensor projected = RandomRows(*rows, 3 * 32).requires_grad_(true);
  const torch::Tensor of_output = RandomRows(*rows, 32);
  const torch::Tensor output =
      FusedSelfAttention(projected, rows, {.heads = 2, .dropout = 0.4}, kEncoderPhases);
  const torch::Tensor plain =
      FusedSelfAttention(projected, rows, {.heads = 2}, kEncoderPhases).detach();
  EXPECT_GT((output - plain).abs().max().item<double>(), 0.1);
  output.backward(of_output);
  const double sum = (output * of_output).sum().item<double>();
  const torch::Tensor of_values = projected.grad().slice(1, 64);
  EXPECT_NEAR((of_values * projected.slice(1, 64)).sum().item<double>(), sum, 1e-4);
}

TEST(FusedLinear, WithBiasAgreesWithPlain) {
  torch::manual_seed(1);
  for (const auto& [inner, columns] : {std::pair<int64_t, int64_t>{16, 48}, {33, 7}}) {
    const Tensors inputs = {torch::randn({3, 16, inner}), torch::randn({columns, inner}),
                            torch::randn({columns})};
    const torch::Tensor of_output = torch::randn({3, 16, columns});
    ExpectAgreement(
        [](const Tensors& in) { return FusedLinear(in[0], in[1], kEncoderPhases, in[2]); },
        [](const Tensors& in) { return torch::linear(in[0], in[1], in[2]); }, inputs, of_output,
        "with bias");
    ExpectAgreement([](const Tensors& in) { return FusedLinear(in[0], in[1], kEncoderPhases); },
                    [](const Tensors& in) { return torch::linear(in[0], in[1]); },
                    {inputs[0], inputs[1]}, of_output, "without bias");
  }
}

TEST(FusedLinear, LeavesOutGradientsThatNothingNeeds) {
  const torch::Tensor input = torch::randn({16, 8});
  const torch::Tensor weight = torch::randn({4, 8});
  const torch::Tensor bias = torch::randn({4}).requires_grad_(true);
  FusedLinear(input, weight, kEncoderPhases, bias).sum().backward();
  EXPECT_TRUE(torch::equal(bias.grad(), torch::full({4}, 16.0f)));
}

TEST(FusedLayerNorm, AgreesWithPlain) {
  torch::manual_seed(1);
  for (const int64_t size : {1, 7, 64, 100}) {
    ExpectAgreement(
        [](const Tensors& in) { return FusedLayerNorm(in[0], in[1], in[2], kEncoderPhases); },
        [&](const Tensors& in) { return torch::layer_norm(in[0], {size}, in[1], in[2]); },
        {torch::randn({160, size}) + 1, torch::randn({size}), torch::randn({size})},
        torch::randn({160, size}), absl::StrCat("size ", size));
  }
}

torch::Tensor PlainActivation(const torch::Tensor& x, ActivationKind kind) {
  switch (kind) {
    case ActivationKind::kRelu:
      return torch::relu(x);
    case ActivationKind::kGelu:
      return torch::gelu(x);
    case ActivationKind::kSilu:
      return torch::silu(x);
  }
  return {};  // Not one of the kinds.
}

TEST(FusedActivation, AgreesWithPlain) {
  torch::manual_seed(1);
  for (const auto kind : {ActivationKind::kRelu, ActivationKind::kGelu, ActivationKind::kSilu}) {
    for (const int64_t size : {5, 64}) {
      ExpectAgreement(
          [&](const Tensors& in) { return FusedActivation(in[0], kind, kEncoderPhases); },
          [&](const Tensors& in) { return PlainActivation(in[0], kind); },
          {3 * torch::randn({64, size})}, torch::randn({64, size}), EnumText(kind));
      ExpectAgreement([&](const Tensors& in) { return FusedGated(in[0], kind, kEncoderPhases); },
                      [&](const Tensors& in) {
                        const Tensors parts = in[0].chunk(2, 1);
                        return PlainActivation(parts[0], kind) * parts[1];
                      },
                      {3 * torch::randn({64, 2 * size})}, torch::randn({64, size}),
                      absl::StrCat("gated ", EnumText(kind)));
    }
  }
}

TEST(FusedDropoutAdd, OfRateZeroIsASum) {
  ExpectAgreement(
      [](const Tensors& in) { return FusedDropoutAdd(in[0], in[1], 0, kEncoderPhases); },
      [](const Tensors& in) { return in[0] + in[1]; },
      {torch::randn({48, 37}), torch::randn({48, 37})}, torch::randn({48, 37}), "sum");
}

TEST(FusedDropoutAdd, KeepsTheMeanAndDropsTheSameInBothPasses) {
  torch::manual_seed(1);
  const torch::Tensor ones = torch::ones({160, 100}).requires_grad_(true);
  const torch::Tensor residual = torch::randn({160, 100}).requires_grad_(true);
  const torch::Tensor sum = FusedDropoutAdd(residual, ones, 0.25, kEncoderPhases);
  sum.sum().backward();
  const torch::Tensor dropped = (sum - residual).detach();
  EXPECT_NEAR(dropped.mean().item<double>(), 1, 0.02);
  EXPECT_TRUE(torch::allclose(ones.grad(), dropped, 1e-5, 1e-5));
  EXPECT_TRUE(torch::equal(residual.grad(), torch::ones({160, 100})));
}

TEST(FusedSsru, AgreesWithPlain) {
  torch::manual_seed(1);
  for (const auto& lengths : TransformerBatches()) {
    const auto rows = RowsWith(lengths);
    for (const int64_t size : {7, 64}) {
      ExpectAgreement([&](const Tensors& in) { return FusedSsru(in[0], rows, kDecoderPhases); },
                      [&](const Tensors& in) {
                        const Tensors parts = in[0].chunk(2, 1);
                        Tensors hidden;
                        torch::Tensor c;
                        rows->ForEachToken([&](int64_t row, int64_t, int64_t step) {
                          const torch::Tensor f = torch::sigmoid(parts[1][row]);
                          if (step == 0) c = torch::zeros_like(f);
                          c = f * c + (1 - f) * parts[0][row];
                          hidden.push_back(torch::relu(c));
                        });
                        for (int64_t row = rows->tokens(); row < rows->rows(); ++row)
                          hidden.push_back(torch::zeros_like(parts[0][0]));
                        return torch::stack(hidden);
                      },
                      {RandomRows(*rows, 2 * size)}, RandomRows(*rows, size),
                      absl::StrCat("size ", size));
    }
  }
}

TEST(FusedRotary, AgreesWithPlain) {
  torch::manual_seed(1);
  for (const auto& lengths : TransformerBatches()) {
    const auto rows = RowsWith(lengths);
    for (const int64_t head : {4, 32}) {
      const int64_t size = 2 * head;
      const auto table = MakeRotaryTable(head, 60);
      ExpectAgreement(
          [&](const Tensors& in) {
            return FusedRotary(in[0], 2 * size, table, rows, kEncoderPhases);
          },
          [&](const Tensors& in) {
            torch::Tensor positions = torch::zeros({rows->rows()}, torch::kFloat64);
            rows->ForEachToken([&](int64_t row, int64_t, int64_t step) { positions[row] = step; });
            const torch::Tensor pairs = torch::arange(0, head / 2, torch::kFloat64);
            const torch::Tensor frequencies =
                torch::pow(10000.0, -2 * pairs / static_cast<double>(head));
            const torch::Tensor angles = torch::outer(positions, frequencies).unsqueeze(1);
            const torch::Tensor heads =
                in[0].slice(1, 0, 2 * size).reshape({rows->rows(), -1, head});
            const Tensors halves = heads.chunk(2, 2);
            const torch::Tensor rotated =
                torch::cat({halves[0] * angles.cos() - halves[1] * angles.sin(),
                            halves[1] * angles.cos() + halves[0] * angles.sin()},
                           2);
            return torch::cat({rotated.reshape({rows->rows(), 2 * size}), in[0].slice(1, 2 * size)},
                              1);
          },
          {RandomRows(*rows, 3 * size)}, RandomRows(*rows, 3 * size), absl::StrCat("head ", head));
    }
  }
}

TEST(SequenceRowsOps, PadAndPackAreInverse) {
  torch::manual_seed(1);
  const torch::Tensor lengths = torch::tensor({3, 1, 0, 5}, torch::kInt64);
  const auto rows = MakeSequenceRows(lengths);
  const torch::Tensor values = RandomRows(*rows, 6).requires_grad_(true);
  const torch::Tensor padded = PadRows(values, rows, 5);
  EXPECT_EQ(padded.sizes(), (std::vector<int64_t>{4, 5, 6}));
  EXPECT_TRUE(torch::equal(padded[3], values.slice(0, 4, 9)));
  EXPECT_EQ(padded[1].slice(0, 1).abs().max().item<double>(), 0);
  const torch::Tensor packed = PackRows(padded, rows);
  EXPECT_TRUE(torch::equal(packed, values));
  const torch::Tensor of_output = RandomRows(*rows, 6);
  packed.backward(of_output);
  EXPECT_TRUE(torch::equal(values.grad(), of_output));
}

TEST(SequenceRowsOps, ScaledEmbeddingAgreesWithPlain) {
  torch::manual_seed(1);
  const torch::Tensor tokens = torch::tensor({{4, 5, 4}, {6, 0, 0}}, torch::kInt64);
  const auto rows = MakeSequenceRows(torch::tensor({3, 1}, torch::kInt64));
  torch::Tensor weight = torch::randn({8, 5});
  weight[0].zero_();
  weight.requires_grad_(true);
  const torch::Tensor found = FusedEmbedding(weight, tokens, rows, 3.0, 0);
  const torch::Tensor ids = torch::tensor({4, 5, 4, 6}, torch::kInt64);
  EXPECT_TRUE(torch::allclose(found.slice(0, 0, 4), 3 * weight.index_select(0, ids)));
  EXPECT_EQ(found.slice(0, 4).abs().max().item<double>(), 0);
  const torch::Tensor of_output = RandomRows(*rows, 5);
  found.backward(of_output);
  EXPECT_TRUE(weight.grad().is_sparse());
  const torch::Tensor expected =
      torch::zeros({8, 5}).index_add_(0, ids, 3 * of_output.slice(0, 0, 4));
  EXPECT_TRUE(torch::allclose(weight.grad().to_dense(), expected, 1e-5, 1e-5));
}

}  // namespace
}  // namespace seq2seq
