#include "seq2seq/kernels/decoder.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"

#include "tests/kernels/numbers.h"

namespace seq2seq {
namespace {

constexpr int64_t kVocab = 11;
constexpr int64_t kEmbedding = 6;
constexpr int64_t kHidden = 19;
constexpr int64_t kMemory = 7;
constexpr int64_t kAttentional = 9;
constexpr size_t kLayers = 2;

const std::vector<int64_t> kTargetLengths = {3, 1, 6, 4, 2, 5};
const std::vector<int64_t> kSourceLengths = {4, 2, 1, 5, 3, 3};

// The parameters of a decoder of two layers with input feeding, or their gradients.
struct Parameters {
  Parameters(CellKind kind, bool conditional) : kind(kind), cells(kLayers + (conditional ? 1 : 0)) {
    const int64_t gates = LayoutOf(kind).projected * kHidden;
    for (size_t layer = 0; layer < cells; ++layer) {
      const int64_t input = layer == 0        ? kEmbedding + kAttentional
                            : layer < kLayers ? kHidden
                                              : kMemory;
      matrices.emplace_back(gates, input, 10 + layer);
      matrices.emplace_back(gates, kHidden, 20 + layer);
      matrices.emplace_back(1, gates, 30 + layer);
      matrices.emplace_back(1, gates, 40 + layer);
      matrices.emplace_back(3, kHidden, 50 + layer);
    }
    matrices.emplace_back(kAttentional, kMemory + kHidden, 60);
    for (RandomMatrix& matrix : matrices) {
      const Matrix& view = matrix.view;
      for (int64_t i = 0; i < view.rows * view.columns; ++i) view.data[i] *= 0.4f;
    }
  }

  template <typename Parts>
  std::vector<Parts> Cells() const {
    std::vector<Parts> all;
    for (size_t layer = 0; layer < cells; ++layer) {
      const RandomMatrix* part = &matrices[5 * layer];
      all.push_back({part[0].view, part[1].view, part[2].view.data, part[3].view.data,
                     kind == CellKind::kPeephole ? part[4].view.data : nullptr});
    }
    return all;
  }

  CellKind kind;
  size_t cells;
  std::vector<RandomMatrix> matrices;
};

// Matrices of a sentence each.
std::vector<RandomMatrix> OfSources(int64_t columns, uint64_t seed) {
  std::vector<RandomMatrix> matrices;
  for (const int64_t length : kSourceLengths) matrices.emplace_back(length, columns, ++seed);
  return matrices;
}

// The values of rows in the order of sentences, whatever the groups.
std::vector<float> InOrder(const PackedSequence& steps, Matrix rows) {
  std::vector<std::vector<float>> sentences(kTargetLengths.size());
  steps.ForEachToken([&](int64_t row, int64_t sequence, int64_t) {
    auto& sentence = sentences[static_cast<size_t>(sequence)];
    sentence.insert(sentence.end(), rows.row(row), rows.row(row) + rows.columns);
  });
  std::vector<float> all;
  for (const auto& sentence : sentences) all.insert(all.end(), sentence.begin(), sentence.end());
  return all;
}

void Append(const RandomMatrix& matrix, std::vector<float>& values) {
  const Matrix& view = matrix.view;
  values.insert(values.end(), view.data, view.data + view.rows * view.columns);
}

// Everything that a forward and backward pass computes, in an order that does not depend on groups.
// With `sample` most tokens are predicted ones; `additive` is additive attention with
// coverage, else dot products; `conditional` adds a conditional cell.
std::vector<float> RunDecoder(CellKind kind, int64_t groups, bool sample, bool additive,
                              bool conditional) {
  const PackedSequence steps(kTargetLengths, groups);
  const DecoderPlan plan = {.cell = kind,
                            .precision = Precision::kFp32,
                            .conditional = conditional,
                            .seed = 5,
                            .steps = &steps};
  const RandomMatrix embedding(kVocab, kEmbedding, 1);
  const Parameters parameters(kind, conditional);
  DecoderWeights weights;
  weights.embedding = embedding.view;
  weights.cells = parameters.Cells<CellWeights>();
  weights.attentional = parameters.matrices.back().view;
  const RandomMatrix query(kHidden, kHidden, 60), energy(1, kHidden, 61), coverage(1, kHidden, 62);
  if (additive) {
    weights.query = query.view;
    weights.energy = energy.view.data;
    weights.coverage = coverage.view.data;
  }
  const auto batch = static_cast<int64_t>(kTargetLengths.size());
  std::vector<RandomMatrix> states;
  DecoderStart start;
  std::vector<RandomMatrix> state_gradients;
  DecoderStartGradient start_gradient;
  for (uint64_t layer = 0; layer < kLayers; ++layer) {
    states.emplace_back(batch, kHidden, 70 + layer);
    start.hidden.push_back(states.back().view);
    state_gradients.emplace_back(batch, kHidden, 0);
    start_gradient.hidden.push_back(state_gradients.back().view);
    if (!HasCellState(kind)) continue;
    states.emplace_back(batch, kHidden, 80 + layer);
    start.cell_state.push_back(states.back().view);
    state_gradients.emplace_back(batch, kHidden, 0);
    start_gradient.cell_state.push_back(state_gradients.back().view);
  }
  const std::vector<RandomMatrix> keys = OfSources(kHidden, 100);
  const std::vector<RandomMatrix> values = OfSources(kMemory, 200);
  const std::vector<RandomMatrix> key_results = OfSources(kHidden, 0);
  const std::vector<RandomMatrix> value_results = OfSources(kMemory, 0);
  std::vector<AttentionMemory> sources;
  std::vector<Matrix> key_gradients, value_gradients;
  for (size_t i = 0; i < keys.size(); ++i) {
    sources.push_back({keys[i].view, values[i].view});
    key_gradients.push_back(key_results[i].view);
    value_gradients.push_back(value_results[i].view);
  }
  std::vector<int64_t> tokens(static_cast<size_t>(steps.rows()), 0);
  const auto predicted = std::make_unique<bool[]>(tokens.size());
  const Buffer attentional_gradient(steps.rows(), kAttentional);
  Clear(attentional_gradient.view());
  steps.ForEachToken([&](int64_t row, int64_t sequence, int64_t step) {
    tokens[static_cast<size_t>(row)] = (3 * sequence + 5 * step) % kVocab;
    predicted[static_cast<size_t>(row)] = sample && (sequence + step) % 3 != 0;
    const std::vector<float> numbers =
        Numbers(kAttentional, static_cast<uint64_t>(1000 + 10 * sequence + step));
    std::copy(numbers.begin(), numbers.end(), attentional_gradient.view().row(row));
  });
  const RandomMatrix output(kVocab, kAttentional, 90);
  const RandomMatrix output_bias(1, kVocab, 91);
  const PackedMatrix packed = PackedMatrix::PackTransposed(output.view, Precision::kFp32);
  const PredictedTokens predicted_tokens = {absl::MakeConstSpan(predicted.get(), tokens.size()),
                                            false, &packed, output_bias.view.data};

  const Buffer attentional_states(steps.rows(), kAttentional);
  DecoderCache cache =
      DecoderForward(plan, weights, start, sources, sample ? &predicted_tokens : nullptr,
                     absl::MakeSpan(tokens), attentional_states.view());
  const Parameters gradients(kind, conditional);
  const Buffer embedded(steps.rows(), kEmbedding);
  const RandomMatrix query_gradient(kHidden, kHidden, 0), energy_gradient(1, kHidden, 0);
  const RandomMatrix coverage_gradient(1, kHidden, 0);
  DecoderBackward(
      plan, weights, start, sources, attentional_states.view(), {attentional_gradient.view(), {}},
      cache,
      {embedded.view(), gradients.Cells<CellGradients>(), gradients.matrices.back().view,
       query_gradient.view, energy_gradient.view.data, coverage_gradient.view.data},
      start_gradient, key_gradients, value_gradients);

  std::vector<float> all = InOrder(steps, attentional_states.view());
  const std::vector<float> of_tokens = InOrder(steps, embedded.view());
  all.insert(all.end(), of_tokens.begin(), of_tokens.end());
  for (size_t i = 0; i < gradients.matrices.size(); ++i) {
    const bool peephole = i < 5 * gradients.cells && i % 5 == 4;
    if (!peephole || kind == CellKind::kPeephole) Append(gradients.matrices[i], all);
  }
  if (additive) {
    Append(query_gradient, all);
    Append(energy_gradient, all);
    Append(coverage_gradient, all);
  }
  for (const RandomMatrix& matrix : state_gradients) Append(matrix, all);
  for (const RandomMatrix& matrix : key_results) Append(matrix, all);
  for (const RandomMatrix& matrix : value_results) Append(matrix, all);
  return all;
}

class DecoderKernel : public testing::TestWithParam<CellKind> {
 protected:
  void TearDown() override { omp_set_num_threads(1); }

  static void ExpectGroupsAgree(bool sample, bool additive = false, bool conditional = false) {
    omp_set_num_threads(1);
    const std::vector<float> alone = RunDecoder(GetParam(), 1, sample, additive, conditional);
    for (const int64_t groups : {2, 4}) {
      omp_set_num_threads(2);
      const std::vector<float> grouped =
          RunDecoder(GetParam(), groups, sample, additive, conditional);
      ASSERT_EQ(alone.size(), grouped.size());
      for (size_t i = 0; i < alone.size(); ++i) {
        ASSERT_NEAR(alone[i], grouped[i], 1e-4 * std::max(1.0f, std::abs(alone[i]))) << i;
      }
    }
  }
};

TEST_P(DecoderKernel, GroupsOnTwoThreadsAgreeWithOneGroup) { ExpectGroupsAgree(false); }

TEST_P(DecoderKernel, OwnTokensOnTwoThreadsAgreeWithOneGroup) { ExpectGroupsAgree(true); }

TEST_P(DecoderKernel, AdditiveAttentionOnTwoThreadsAgreesWithOneGroup) {
  ExpectGroupsAgree(false, /*additive=*/true);
}

TEST_P(DecoderKernel, ConditionalCellOnTwoThreadsAgreesWithOneGroup) {
  ExpectGroupsAgree(true, /*additive=*/true, /*conditional=*/true);
}

TEST_P(DecoderKernel, PredictedTokensChangeTheAttentionalStates) {
  EXPECT_NE(RunDecoder(GetParam(), 1, false, false, false),
            RunDecoder(GetParam(), 1, true, false, false));
}

INSTANTIATE_TEST_SUITE_P(Cells, DecoderKernel,
                         testing::Values(CellKind::kLstm, CellKind::kPeephole, CellKind::kGru,
                                         CellKind::kRnnTanh, CellKind::kRnnRelu));

}  // namespace
}  // namespace seq2seq
