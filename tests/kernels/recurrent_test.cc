#include "seq2seq/kernels/recurrent.h"

#include <omp.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "seq2seq/base/enum_text.h"
#include "tests/kernels/numbers.h"

namespace seq2seq {
namespace {

constexpr int64_t kInput = 5;
constexpr int64_t kHidden = 19;

const CellKind kKinds[] = {CellKind::kLstm, CellKind::kPeephole, CellKind::kGru, CellKind::kRnnTanh,
                           CellKind::kRnnRelu};

// Two directions of one kind of cell, with separate parameters.
struct Layer {
  explicit Layer(CellKind kind) : kind(kind) {
    const int64_t gates = LayoutOf(kind).projected * kHidden;
    for (uint64_t d = 0; d < 2; ++d) {
      parameters.emplace_back(gates, kInput, 10 + d);
      parameters.emplace_back(gates, kHidden, 20 + d);
      parameters.emplace_back(1, gates, 30 + d);
      parameters.emplace_back(1, gates, 40 + d);
      parameters.emplace_back(3, kHidden, 50 + d);
    }
    for (RandomMatrix& parameter : parameters) {
      for (int64_t i = 0; i < parameter.view.rows * parameter.view.columns; ++i) {
        parameter.view.data[i] *= 0.4f;
      }
    }
  }

  template <typename Parts>
  static Parts Bind(CellKind kind, const std::vector<RandomMatrix>& all, size_t d) {
    const RandomMatrix* part = &all[5 * d];
    return {part[0].view, part[1].view, part[2].view.data, part[3].view.data,
            kind == CellKind::kPeephole ? part[4].view.data : nullptr};
  }

  CellKind kind;
  std::vector<RandomMatrix> parameters;
};

struct Result {
  std::vector<float> output;
  std::vector<float> input_gradient;
  std::vector<RandomMatrix> gradients;
};

// Forward, and back from the gradient `output_gradient`.
Result RunLayer(const Layer& layer, const std::vector<int64_t>& lengths, int64_t groups,
                Matrix input, Matrix output_gradient) {
  const PackedSequence steps(lengths, groups);
  Layer gradients(layer.kind);
  const std::vector<CellWeights> weights = {
      Layer::Bind<CellWeights>(layer.kind, layer.parameters, 0),
      Layer::Bind<CellWeights>(layer.kind, layer.parameters, 1)};
  const std::vector<CellGradients> targets = {
      Layer::Bind<CellGradients>(layer.kind, gradients.parameters, 0),
      Layer::Bind<CellGradients>(layer.kind, gradients.parameters, 1)};
  const Buffer output(steps.rows(), 2 * kHidden);
  const Buffer input_gradient(steps.rows(), kInput);
  const auto cache = RecurrentForward(
      steps, input, PackCells(layer.kind, weights, Precision::kFp32), output.view());
  Result result;
  const Matrix view = output.view();
  result.output.assign(view.data, view.data + view.rows * view.columns);
  RecurrentBackward(layer.kind, Precision::kFp32, steps, input, weights, view,
                    {output_gradient, {}}, cache, input_gradient.view(), targets);
  const Matrix inputs = input_gradient.view();
  result.input_gradient.assign(inputs.data, inputs.data + steps.tokens() * kInput);
  result.gradients = std::move(gradients.parameters);
  return result;
}

// Rows past the last token are zero.
RandomMatrix Tokens(const std::vector<int64_t>& lengths, int64_t columns, uint64_t seed) {
  const PackedSequence steps(lengths, 1);
  RandomMatrix tokens(steps.rows(), columns, seed);
  Clear(steps.Tail(tokens.view));
  return tokens;
}

TEST(Recurrent, GradientsAgreeWithDifferences) {
  const std::vector<int64_t> lengths = {3, 1, 5, 2};
  for (const CellKind kind : kKinds) {
    const Layer layer(kind);
    const RandomMatrix input = Tokens(lengths, kInput, 1);
    const RandomMatrix output_gradient = Tokens(lengths, 2 * kHidden, 2);
    const auto objective = [&] {
      const Result result = RunLayer(layer, lengths, 1, input.view, output_gradient.view);
      double sum = 0;
      for (size_t i = 0; i < result.output.size(); ++i) {
        sum += static_cast<double>(result.output[i] * output_gradient.view.data[i]);
      }
      return sum;
    };
    const Result result = RunLayer(layer, lengths, 1, input.view, output_gradient.view);
    const auto expect_agreement = [&](float& value, float gradient, const char* what) {
      const float before = value;
      constexpr float kStep = 4e-3f;
      value = before + kStep;
      const double above = objective();
      value = before - kStep;
      const double below = objective();
      value = before;
      EXPECT_NEAR((above - below) / (2 * static_cast<double>(kStep)), static_cast<double>(gradient),
                  2e-2)
          << EnumText(kind) << ", " << what;
    };
    for (const size_t i : {0, 7, 12, 40}) {
      expect_agreement(input.view.data[i], result.input_gradient[i], "input");
    }
    for (size_t p = 0; p < layer.parameters.size(); ++p) {
      if (p % 5 == 4 && kind != CellKind::kPeephole) continue;
      for (const int64_t i : {0, 3, 17}) {
        expect_agreement(layer.parameters[p].view.data[i], result.gradients[p].view.data[i],
                         "parameter");
      }
    }
  }
}

TEST(Recurrent, GroupsOnTwoThreadsAgreeWithOne) {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < 30; ++i) lengths.push_back(1 + i % 7);
  for (const CellKind kind : kKinds) {
    const Layer layer(kind);
    // The same tokens in the order of one group and of three.
    const PackedSequence one(lengths, 1);
    const PackedSequence three(lengths, 3);
    std::vector<int64_t> place(static_cast<size_t>(one.tokens()));  // Of three's rows in one's.
    one.ForEachToken([&](int64_t row, int64_t sequence, int64_t step) {
      three.ForEachToken([&](int64_t other, int64_t other_sequence, int64_t other_step) {
        if (sequence == other_sequence && step == other_step) {
          place[static_cast<size_t>(other)] = row;
        }
      });
    });
    const RandomMatrix input = Tokens(lengths, kInput, 1);
    const RandomMatrix gradient = Tokens(lengths, 2 * kHidden, 2);
    const RandomMatrix moved_input = Tokens(lengths, kInput, 1);
    const RandomMatrix moved_gradient = Tokens(lengths, 2 * kHidden, 2);
    for (int64_t row = 0; row < three.tokens(); ++row) {
      const int64_t from = place[static_cast<size_t>(row)];
      Copy(input.view.Rows(from, 1), moved_input.view.Rows(row, 1));
      Copy(gradient.view.Rows(from, 1), moved_gradient.view.Rows(row, 1));
    }
    omp_set_num_threads(1);
    const Result expected = RunLayer(layer, lengths, 1, input.view, gradient.view);
    omp_set_num_threads(2);
    const Result result = RunLayer(layer, lengths, 3, moved_input.view, moved_gradient.view);
    omp_set_num_threads(1);
    for (int64_t row = 0; row < three.tokens(); ++row) {
      const auto from = static_cast<size_t>(place[static_cast<size_t>(row)]);
      for (size_t j = 0; j < 2 * kHidden; ++j) {
        ASSERT_NEAR(result.output[static_cast<size_t>(row) * 2 * kHidden + j],
                    expected.output[from * 2 * kHidden + j], 1e-5);
      }
      for (size_t j = 0; j < kInput; ++j) {
        ASSERT_NEAR(result.input_gradient[static_cast<size_t>(row) * kInput + j],
                    expected.input_gradient[from * kInput + j], 1e-4);
      }
    }
    for (size_t p = 0; p < expected.gradients.size(); ++p) {
      if (p % 5 == 4 && kind != CellKind::kPeephole) continue;
      const Matrix values = expected.gradients[p].view;
      for (int64_t i = 0; i < values.rows * values.columns; ++i) {
        ASSERT_NEAR(result.gradients[p].view.data[i], values.data[i],
                    1e-4 * (1 + std::abs(values.data[i])));
      }
    }
  }
}

}  // namespace
}  // namespace seq2seq
