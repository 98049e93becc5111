#include "seq2seq/kernels/cross_entropy.h"

#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "tests/kernels/numbers.h"

namespace seq2seq {
namespace {

// The logits of a row, in double.
std::vector<double> Logits(const OutputLayer& layer, const float* input, int64_t size) {
  std::vector<double> logits;
  for (int64_t v = 0; v < layer.weight.rows; ++v) {
    double logit = static_cast<double>(layer.bias[v]);
    for (int64_t i = 0; i < size; ++i)
      logit += static_cast<double>(layer.weight.row(v)[i]) * static_cast<double>(input[i]);
    logits.push_back(logit);
  }
  return logits;
}

std::vector<double> LogProbabilities(std::vector<double> logits, double temperature) {
  double total = 0;
  for (double& logit : logits) total += std::exp(logit /= temperature);
  for (double& logit : logits) logit -= std::log(total);
  return logits;
}

struct ExpectedLoss {
  CrossEntropySums sums;
  std::vector<double> score_gradient;  // [row, vocab]
};

// The formula, in double.
ExpectedLoss Plain(const OutputLayer& layer, ConstMatrix input, const std::vector<int64_t>& truth,
                   double smoothing, double scale, const SoftTargets& soft = {}) {
  ExpectedLoss expected;
  const int64_t vocab = layer.weight.rows;
  for (int64_t row = 0; row < input.rows; ++row) {
    const std::vector<double> scores = Logits(layer, input.row(row), input.columns);
    const std::vector<double> log_probabilities = LogProbabilities(scores, 1);
    const auto target = static_cast<size_t>(truth[static_cast<size_t>(row)]);
    bool highest = true;
    const double hard = soft.teachers.empty() ? 1 : 1 - soft.weight;
    for (size_t v = 0; v < scores.size(); ++v) {
      const double share =
          smoothing / static_cast<double>(vocab) + (v == target ? 1 - smoothing : 0);
      expected.sums.objective -= hard * share * log_probabilities[v];
      expected.score_gradient.push_back(hard * scale * (std::exp(log_probabilities[v]) - share));
      highest = highest && scores[v] <= scores[target];
    }
    const double t = soft.temperature;
    const std::vector<double> softened = LogProbabilities(scores, t);
    for (const SoftTargets::Teacher& teacher : soft.teachers) {
      const std::vector<double> targets =
          LogProbabilities(Logits(teacher.layer, teacher.input.row(row), teacher.input.columns), t);
      const double share = soft.weight / static_cast<double>(soft.teachers.size());
      for (size_t v = 0; v < scores.size(); ++v) {
        expected.sums.objective -= share * t * t * std::exp(targets[v]) * softened[v];
        expected.score_gradient[static_cast<size_t>(row * vocab) + v] +=
            share * scale * t * (std::exp(softened[v]) - std::exp(targets[v]));
      }
    }
    expected.sums.nll -= log_probabilities[target];
    expected.sums.correct += highest ? 1 : 0;
  }
  return expected;
}

// Rows of one chunk, and of more than one: the second vocabulary makes chunks of 64 rows.
TEST(OutputCrossEntropy, AgreesWithTheFormulaInOneChunkAndInMany) {
  for (const auto& [rows, vocab] : {std::pair<int64_t, int64_t>{7, 37}, {130, 60'000}, {1, 3}}) {
    constexpr int64_t kSize = 6;
    const RandomMatrix input(rows, kSize, 1);
    const RandomMatrix weight(vocab, kSize, 2);
    const RandomMatrix bias(1, vocab, 3);
    std::vector<int64_t> truth;
    for (int64_t row = 0; row < rows; ++row) truth.push_back(row * 7 % vocab);
    const OutputLayer layer = {weight.view, bias.view.data};
    const ExpectedLoss expected = Plain(layer, input.view, truth, 0.1, 0.5);

    const RandomMatrix input_gradient(rows, kSize, 4);
    const RandomMatrix weight_gradient(vocab, kSize, 5);
    const RandomMatrix bias_gradient(1, vocab, 6);
    const OutputGradients gradients = {input_gradient.view, weight_gradient.view,
                                       bias_gradient.view.data};
    for (const OutputGradients* wanted :
         {&gradients, static_cast<const OutputGradients*>(nullptr)}) {
      const CrossEntropySums sums =
          OutputCrossEntropy(layer, input.view, truth, 0.1, 0.5, Precision::kFp32, wanted);
      EXPECT_NEAR(sums.objective, expected.sums.objective, 1e-5 * expected.sums.objective);
      EXPECT_NEAR(sums.nll, expected.sums.nll, 1e-5 * expected.sums.nll);
      EXPECT_EQ(sums.correct, expected.sums.correct);
    }
    for (int64_t v = 0; v < vocab; v += 1 + vocab / 50) {
      double bias_sum = 0;
      std::vector<double> weight_sum(kSize, 0.0);
      for (int64_t row = 0; row < rows; ++row) {
        const double gradient = expected.score_gradient[static_cast<size_t>(row * vocab + v)];
        bias_sum += gradient;
        for (int64_t i = 0; i < kSize; ++i) {
          weight_sum[static_cast<size_t>(i)] +=
              gradient * static_cast<double>(input.view.row(row)[i]);
        }
      }
      EXPECT_NEAR(bias_gradient.view.data[v], bias_sum, 1e-5);
      for (int64_t i = 0; i < kSize; ++i) {
        EXPECT_NEAR(weight_gradient.view.row(v)[i], weight_sum[static_cast<size_t>(i)], 1e-5);
      }
    }
    for (int64_t i = 0; i < kSize; ++i) {
      double sum = 0;
      for (int64_t v = 0; v < vocab; ++v) {
        sum += expected.score_gradient[static_cast<size_t>((rows - 1) * vocab + v)] *
               static_cast<double>(weight.view.row(v)[i]);
      }
      EXPECT_NEAR(input_gradient.view.row(rows - 1)[i], sum, 1e-5);
    }
  }
}

// A probability is added to that of the reference: nothing, a little, and much more.
TEST(OutputCrossEntropy, WithCopiedReferencesAgreesWithTheFormula) {
  constexpr int64_t kRows = 6, kVocab = 37, kSize = 5;
  const RandomMatrix input(kRows, kSize, 1), weight(kVocab, kSize, 2), bias(1, kVocab, 3);
  const OutputLayer layer = {weight.view, bias.view.data};
  const std::vector<int64_t> truth = {3, 36, 0, 3, 5, 9};
  const std::vector<float> log_copied = {-1e4F, -6, -2, 0, 3, 20}, weights = {1, 2, -1, 1, 0.5F, 1};
  constexpr double kSmoothing = 0.1, kScale = 0.5;
  // The objective of a row, where its score of token `v` and its log_copied are shifted.
  const auto objective = [&](size_t row, int64_t v, double shift, double shift_copied) {
    std::vector<double> scores = Logits(layer, input.view.row(static_cast<int64_t>(row)), kSize);
    scores[static_cast<size_t>(v)] += shift;
    const std::vector<double> log_probabilities = LogProbabilities(scores, 1);
    double mean = 0;
    for (const double log_probability : log_probabilities) mean -= log_probability / kVocab;
    const double copied = std::exp(static_cast<double>(log_copied[row]) + shift_copied);
    const double hard =
        -std::log(std::exp(log_probabilities[static_cast<size_t>(truth[row])]) + copied);
    return static_cast<double>(weights[row]) * ((1 - kSmoothing) * hard + kSmoothing * mean);
  };
  const RandomMatrix input_gradient(kRows, kSize, 4), weight_gradient(kVocab, kSize, 5);
  const RandomMatrix bias_gradient(1, kVocab, 6), copied_gradient(1, kRows, 7);
  const OutputGradients gradients = {input_gradient.view, weight_gradient.view,
                                     bias_gradient.view.data, copied_gradient.view.data};
  const CrossEntropySums sums =
      OutputCrossEntropy(layer, input.view, truth, kSmoothing, kScale, Precision::kFp32, &gradients,
                         {}, weights, log_copied);
  double expected = 0;
  constexpr double kShift = 1e-5;
  for (size_t row = 0; row < kRows; ++row) {
    expected += objective(row, 0, 0, 0);
    const double slope =
        (objective(row, 0, 0, kShift) - objective(row, 0, 0, -kShift)) / (2 * kShift);
    EXPECT_NEAR(copied_gradient.view.data[row], kScale * slope, 1e-5) << row;
  }
  EXPECT_NEAR(sums.objective, expected, 1e-4);
  for (int64_t v = 0; v < kVocab; ++v) {
    double slope = 0;
    for (size_t row = 0; row < kRows; ++row)
      slope += (objective(row, v, kShift, 0) - objective(row, v, -kShift, 0)) / (2 * kShift);
    EXPECT_NEAR(bias_gradient.view.data[v], kScale * slope, 1e-5) << v;
  }
}

// Each row has its own, whatever the chunk that it is in.
TEST(OutputCrossEntropy, TakesTheCopiedReferenceOfEachRowOfManyChunks) {
  constexpr int64_t kRows = 130, kVocab = 60'000, kSize = 2;
  const RandomMatrix input(kRows, kSize, 1), weight(kVocab, kSize, 2), bias(1, kVocab, 3);
  const RandomMatrix input_gradient(kRows, kSize, 4), weight_gradient(kVocab, kSize, 5);
  const RandomMatrix bias_gradient(1, kVocab, 6), copied_gradient(1, kRows, 7);
  const OutputGradients gradients = {input_gradient.view, weight_gradient.view,
                                     bias_gradient.view.data, copied_gradient.view.data};
  const std::vector<int64_t> truth(kRows, 0);
  std::vector<float> log_copied(kRows, -1e4F);
  for (int64_t row = 0; row < kRows; row += 3) log_copied[static_cast<size_t>(row)] = 0;
  const CrossEntropySums sums =
      OutputCrossEntropy({weight.view, bias.view.data}, input.view, truth, 0, 1, Precision::kFp32,
                         &gradients, {}, {}, log_copied);
  for (int64_t row = 0; row < kRows; ++row)
    EXPECT_NEAR(copied_gradient.view.data[row], row % 3 == 0 ? -1 : 0, 1e-3) << row;
  EXPECT_GE(sums.correct, kRows / 3);
}

// One and two, whose inputs have other sizes than the student's; with the whole weight, a part of
// it and none.
TEST(OutputCrossEntropy, WithTeachersAgreesWithTheFormulaInOneChunkAndInMany) {
  for (const auto& [rows, vocab] : {std::pair<int64_t, int64_t>{7, 37}, {70, 60'000}, {1, 3}}) {
    constexpr int64_t kSize = 6;
    const RandomMatrix input(rows, kSize, 1), weight(vocab, kSize, 2), bias(1, vocab, 3);
    const RandomMatrix inputs[] = {{rows, 4, 7}, {rows, 9, 8}};
    const RandomMatrix weights[] = {{vocab, 4, 9}, {vocab, 9, 10}};
    const RandomMatrix biases[] = {{1, vocab, 11}, {1, vocab, 12}};
    std::vector<int64_t> truth;
    for (int64_t row = 0; row < rows; ++row) truth.push_back(row * 7 % vocab);
    const OutputLayer layer = {weight.view, bias.view.data};
    std::vector<SoftTargets::Teacher> teachers;
    for (size_t i = 0; i < 2; ++i)
      teachers.push_back({{weights[i].view, biases[i].view.data}, inputs[i].view});
    for (const auto& [count, share, temperature] :
         {std::tuple<size_t, double, double>{1, 0.7, 1}, {1, 1, 2}, {2, 0.4, 0.5}, {2, 0, 1}}) {
      const SoftTargets soft = {absl::MakeConstSpan(teachers).first(count), share, temperature};
      const ExpectedLoss expected = Plain(layer, input.view, truth, 0.1, 0.5, soft);
      const RandomMatrix input_gradient(rows, kSize, 4), weight_gradient(vocab, kSize, 5);
      const RandomMatrix bias_gradient(1, vocab, 6);
      const OutputGradients gradients = {input_gradient.view, weight_gradient.view,
                                         bias_gradient.view.data};
      for (const OutputGradients* wanted :
           {&gradients, static_cast<const OutputGradients*>(nullptr)}) {
        const CrossEntropySums sums =
            OutputCrossEntropy(layer, input.view, truth, 0.1, 0.5, Precision::kFp32, wanted, soft);
        EXPECT_NEAR(sums.objective, expected.sums.objective, 1e-5 * expected.sums.objective);
        EXPECT_NEAR(sums.nll, expected.sums.nll, 1e-5 * expected.sums.nll);
        EXPECT_EQ(sums.correct, expected.sums.correct);
      }
      for (int64_t v = 0; v < vocab; v += 1 + vocab / 50) {
        double sum = 0;
        for (int64_t row = 0; row < rows; ++row)
          sum += expected.score_gradient[static_cast<size_t>(row * vocab + v)];
        EXPECT_NEAR(bias_gradient.view.data[v], sum, 1e-5);
      }
      for (int64_t i = 0; i < kSize; ++i) {
        double sum = 0;
        for (int64_t v = 0; v < vocab; ++v) {
          sum += expected.score_gradient[static_cast<size_t>((rows - 1) * vocab + v)] *
                 static_cast<double>(weight.view.row(v)[i]);
        }
        EXPECT_NEAR(input_gradient.view.row(rows - 1)[i], sum, 1e-5);
      }
    }
  }
}

}  // namespace
}  // namespace seq2seq
