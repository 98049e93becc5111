// Benchmarks of matrix products in the shapes of a training update, and of layers, loss and Adam.
#include <omp.h>

#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/processor.h"
#include "seq2seq/base/enum_text.h"
#include "seq2seq/kernels/adam.h"
#include "seq2seq/kernels/cross_entropy.h"
#include "seq2seq/kernels/multi_head_attention.h"
#include "seq2seq/kernels/normalization.h"
#include "seq2seq/kernels/parallel.h"
#include "seq2seq/kernels/product.h"
#include "seq2seq/kernels/recurrent.h"

namespace seq2seq {
namespace {

Buffer Zeros(int64_t rows, int64_t columns) {
  Buffer buffer(rows, columns);
  Clear(buffer.view());
  return buffer;
}

void SetRate(benchmark::State& state, double flops) {
  state.counters["GFLOP/s"] = benchmark::Counter(
      1e-9 * flops * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

// A packed product: rows x inner x columns, fp32 or bf16.
void PackedProduct(benchmark::State& state) {
  const int64_t rows = state.range(0);
  const int64_t inner = state.range(1);
  const int64_t columns = state.range(2);
  const auto precision = static_cast<Precision>(state.range(3));
  if (!SupportsProducts(precision)) return state.SkipWithError("not on this processor");
  const Buffer a = Zeros(rows, inner);
  const Buffer b = Zeros(inner, columns);
  const Buffer c = Zeros(rows, columns);
  const PackedMatrix packed = PackedMatrix::Pack(b.view(), precision);
  for (auto _ : state) Multiply(a.view(), packed, c.view());
  SetRate(state, 2.0 * static_cast<double>(rows * inner * columns));
}
BENCHMARK(PackedProduct)
    ->ArgNames({"rows", "inner", "columns", "bf16"})
    ->ArgsProduct({{1, 5, 64, 320, 1024}, {512, 1024}, {2048, 8000}, {0, 1}})
    ->UseRealTime();

// The gradient of a weight: [columns, inner] summed over rows.
void WeightGradient(benchmark::State& state) {
  const int64_t rows = state.range(0);
  const int64_t columns = state.range(1);
  const int64_t inner = state.range(2);
  const auto precision = static_cast<Precision>(state.range(3));
  if (!SupportsProducts(precision)) return state.SkipWithError("not on this processor");
  const Buffer gates = Zeros(rows, columns);
  const Buffer inputs = Zeros(rows, inner);
  const Buffer gradient = Zeros(columns, inner);
  for (auto _ : state) {
    MultiplyTransposed(Operand(gates.view(), precision), Operand(inputs.view(), precision),
                       gradient.view());
  }
  SetRate(state, 2.0 * static_cast<double>(rows * inner * columns));
}
BENCHMARK(WeightGradient)
    ->ArgNames({"rows", "columns", "inner", "bf16"})
    ->ArgsProduct({{960}, {2048, 8000}, {256, 512}, {0, 1}})
    ->UseRealTime();

// Packing a weight, which each update does twice.
void Packing(benchmark::State& state) {
  const Buffer weight = Zeros(state.range(0), state.range(1));
  const auto precision = static_cast<Precision>(state.range(2));
  if (!SupportsProducts(precision)) return state.SkipWithError("not on this processor");
  for (auto _ : state)
    benchmark::DoNotOptimize(PackedMatrix::PackTransposed(weight.view(), precision));
  state.SetBytesProcessed(state.iterations() * 4 * state.range(0) * state.range(1));
}
BENCHMARK(Packing)
    ->ArgNames({"rows", "columns", "precision"})
    ->ArgsProduct({{2048, 8000}, {512}, {0, 1, 2}})
    ->UseRealTime();

// A bidirectional layer over 64 sentences of 14 tokens, forward and backward.
void Layer(benchmark::State& state) {
  const auto kind = static_cast<CellKind>(state.range(0));
  const auto precision = static_cast<Precision>(state.range(1));
  if (!SupportsProducts(precision)) return state.SkipWithError("not on this processor");
  constexpr int64_t kInput = 256;
  constexpr int64_t kHidden = 256;
  const int64_t gates = LayoutOf(kind).projected * kHidden;
  const PackedSequence steps(std::vector<int64_t>(64, 14), GroupsFor(64, 2));
  const Buffer input = Zeros(steps.rows(), kInput);
  const Buffer output = Zeros(steps.rows(), 2 * kHidden);
  const Buffer output_gradient = Zeros(steps.rows(), 2 * kHidden);
  const Buffer input_gradient = Zeros(steps.rows(), kInput);
  const Buffer weight_ih = Zeros(gates, kInput);
  const Buffer weight_hh = Zeros(gates, kHidden);
  const Buffer bias = Zeros(1, gates);
  const Buffer peephole = Zeros(3, kHidden);
  const Buffer weight_ih_gradient = Zeros(gates, kInput);
  const Buffer weight_hh_gradient = Zeros(gates, kHidden);
  const Buffer bias_gradient = Zeros(2, gates);
  const bool peeps = kind == CellKind::kPeephole;
  const CellWeights weights = {weight_ih.view(), weight_hh.view(), bias.view().data,
                               bias.view().data, peeps ? peephole.view().data : nullptr};
  const CellGradients gradients = {weight_ih_gradient.view(), weight_hh_gradient.view(),
                                   bias_gradient.view().row(0), bias_gradient.view().row(1),
                                   peeps ? peephole.view().data : nullptr};
  for (auto _ : state) {
    const auto cache = RecurrentForward(
        steps, input.view(), PackCells(kind, {weights, weights}, precision), output.view());
    RecurrentBackward(kind, precision, steps, input.view(), {weights, weights}, output.view(),
                      {output_gradient.view(), {}}, cache, input_gradient.view(),
                      {gradients, gradients});
  }
  state.SetLabel(EnumText(kind));
  SetRate(state, 3 * 2 * 2.0 * static_cast<double>(steps.tokens() * gates * (kInput + kHidden)));
}
BENCHMARK(Layer)->ArgNames({"cell", "bf16"})->ArgsProduct({{0, 1, 2, 3}, {0, 1}})->UseRealTime();

// Multi-head self-attention over some 1,000 tokens, forward and backward; the rate is that of its
// products, six of them and one computed anew.
void MultiHead(benchmark::State& state) {
  const int64_t length = state.range(0);
  const int64_t size = state.range(1);
  const int64_t heads = state.range(2);
  const SequenceRows rows(std::vector<int64_t>(static_cast<size_t>(1000 / length), length));
  const Buffer projected = Zeros(rows.rows(), 3 * size);
  const Buffer gradients = Zeros(rows.rows(), 3 * size);
  const Buffer output = Zeros(rows.rows(), size);
  const Buffer log_sums = Zeros(rows.rows(), heads);
  const auto part = [&](const Buffer& buffer, int64_t index) {
    return buffer.view().Columns(index * size, size);
  };
  const MultiHeadInput input = {part(projected, 0), part(projected, 1), part(projected, 2)};
  const MultiHeadOptions options = {.heads = heads};
  for (auto _ : state) {
    MultiHeadAttention(rows, rows, input, options, output.view(), log_sums.view());
    MultiHeadAttentionBackward(rows, rows, input, options, log_sums.view(), output.view(),
                               {part(gradients, 0), part(gradients, 1), part(gradients, 2)});
  }
  SetRate(state, 7 * 2.0 * static_cast<double>(rows.tokens() * length * size));
}
BENCHMARK(MultiHead)
    ->ArgNames({"length", "size", "heads"})
    ->Args({15, 256, 4})
    ->Args({15, 128, 4})
    ->Args({60, 256, 4})
    ->Args({60, 512, 8})
    ->UseRealTime();

// Layer normalisation of 1,000 rows: forward, on one thread, or backward.
void LayerNormalization(benchmark::State& state) {
  const int64_t size = state.range(0);
  const Buffer values = Zeros(1000, size);
  const Buffer output = Zeros(1000, size);
  const Buffer weights = Zeros(4, size);
  const Matrix w = weights.view();
  for (auto _ : state) {
    if (state.range(1) == 0) {
      LayerNorm(values.view(), {w.row(0), w.row(1)}, output.view());
    } else {
      LayerNormBackward(values.view(), w.row(0), output.view(),
                        {output.view(), w.row(2), w.row(3)});
    }
  }
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(LayerNormalization)
    ->ArgNames({"size", "backward"})
    ->ArgsProduct({{128, 256}, {0, 1}})
    ->UseRealTime();

// The output layer with its loss and gradients.
void OutputAndLoss(benchmark::State& state) {
  const int64_t rows = state.range(0);
  const int64_t vocab = state.range(1);
  const auto precision = static_cast<Precision>(state.range(2));
  if (!SupportsProducts(precision)) return state.SkipWithError("not on this processor");
  constexpr int64_t kSize = 512;
  const Buffer input = Zeros(rows, kSize);
  const Buffer weight = Zeros(vocab, kSize);
  const Buffer bias = Zeros(1, vocab);
  const Buffer input_gradient = Zeros(rows, kSize);
  const Buffer weight_gradient = Zeros(vocab, kSize);
  const Buffer bias_gradient = Zeros(1, vocab);
  const std::vector<int64_t> truth(static_cast<size_t>(rows), 1);
  const OutputGradients gradients = {input_gradient.view(), weight_gradient.view(),
                                     bias_gradient.view().data};
  for (auto _ : state) {
    OutputCrossEntropy({weight.view(), bias.view().data}, input.view(), truth, 0.1, 1.0, precision,
                       &gradients);
  }
  SetRate(state, 3 * 2.0 * static_cast<double>(rows * kSize * vocab));
}
BENCHMARK(OutputAndLoss)
    ->ArgNames({"rows", "vocab", "bf16"})
    ->ArgsProduct({{960}, {1000, 8000, 32000}, {0, 1}})
    ->UseRealTime();

// Adam over ten million weights.
void Adam(benchmark::State& state) {
  constexpr int64_t kRows = 320;
  constexpr int64_t kColumns = 1 << 15;
  const Buffer weight = Zeros(kRows, kColumns);
  const Buffer gradient = Zeros(kRows, kColumns);
  const Buffer mean = Zeros(kRows, kColumns);
  const Buffer square = Zeros(kRows, kColumns);
  const AdamUpdate update = {.rate = 1e-3f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f};
  for (auto _ : state) {
    ParallelFor(kRows, [&](int64_t row) {
      AdamStep(update, gradient.view().row(row), kColumns, weight.view().row(row),
               mean.view().row(row), square.view().row(row));
    });
  }
  state.SetBytesProcessed(state.iterations() * 7 * 4 * kRows * kColumns);
}
BENCHMARK(Adam)->UseRealTime();

}  // namespace
}  // namespace seq2seq

int main(int argc, char** argv) {
  if (!seq2seq::LimitToEnvironment()) return 1;
  benchmark::AddCustomContext("processor", seq2seq::DescribeProcessor());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
