#include "seq2seq/kernels/cross_entropy.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "tests/kernels/numbers.h"

namespace seq2seq {
namespace {

struct Expected {
  CrossEntropySums sums;
  std::vector<double> score_gradient;  // [row, vocab]
};

// The formula, in double.
Expected Plain(const OutputLayer& layer, ConstMatrix input, const std::vector<int64_t>& truth,
               double smoothing, double scale) {
  Expected expected;
  const int64_t vocab = layer.weight.rows;
  for (int64_t row = 0; row < input.rows; ++row) {
    std::vector<double> scores;
    double total = 0;
    for (int64_t v = 0; v < vocab; ++v) {
      double score = static_cast<double>(layer.bias[v]);
      for (int64_t i = 0; i < input.columns; ++i) {
        score +=
            static_cast<double>(layer.weight.row(v)[i]) * static_cast<double>(input.row(row)[i]);
      }
      scores.push_back(score);
      total += std::exp(score);
    }
    const auto target = static_cast<size_t>(truth[static_cast<size_t>(row)]);
    bool highest = true;
    for (size_t v = 0; v < scores.size(); ++v) {
      const double share =
          smoothing / static_cast<double>(vocab) + (v == target ? 1 - smoothing : 0);
      const double log_probability = scores[v] - std::log(total);
      expected.sums.objective -= share * log_probability;
      expected.score_gradient.push_back(scale * (std::exp(log_probability) - share));
      highest = highest && scores[v] <= scores[target];
    }
    expected.sums.nll -= scores[target] - std::log(total);
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
    const Expected expected = Plain(layer, input.view, truth, 0.1, 0.5);

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

}  // namespace
}  // namespace seq2seq
