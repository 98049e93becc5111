#include "seq2seq/kernels/multi_head_attention.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "seq2seq/kernels/parallel.h"
#include "tests/kernels/numbers.h"

namespace seq2seq {
namespace {

struct Case {
  std::vector<int64_t> query_lengths;
  std::vector<int64_t> key_lengths;
  int64_t heads;
  int64_t size;
  bool causal = false;
};

std::string Describe(const Case& c) {
  return absl::StrCat(c.heads, " heads, size ", c.size, c.causal ? ", causal" : "");
}

// Inputs, whose queries, keys and values are columns of wider matrices, and results.
struct Pass {
  explicit Pass(const Case& c)
      : query_rows(c.query_lengths),
        key_rows(c.key_lengths),
        queries(query_rows.rows(), c.size + 3, 1),
        memory(key_rows.rows(), 2 * c.size + 1, 2),
        output_gradient(query_rows.rows(), c.size, 3),
        output(query_rows.rows(), c.size, 4),
        log_sums(query_rows.rows(), c.heads, 5),
        query_gradient(query_rows.rows(), c.size + 3, 6),
        memory_gradient(key_rows.rows(), 2 * c.size + 1, 7),
        options{.heads = c.heads, .causal = c.causal},
        input{queries.view.Columns(2, c.size), memory.view.Columns(0, c.size),
              memory.view.Columns(c.size, c.size)},
        gradient{query_gradient.view.Columns(2, c.size), memory_gradient.view.Columns(0, c.size),
                 memory_gradient.view.Columns(c.size, c.size)} {
    // Scores far from zero.
    for (int64_t i = 0; i < queries.view.rows * queries.view.columns; ++i)
      queries.view.data[i] *= 4;
  }

  void Compute() const {
    MultiHeadAttention(query_rows, key_rows, input, options, output.view, log_sums.view);
    MultiHeadAttentionBackward(query_rows, key_rows, input, options, log_sums.view,
                               output_gradient.view, gradient);
  }

  SequenceRows query_rows;
  SequenceRows key_rows;
  RandomMatrix queries;
  RandomMatrix memory;
  RandomMatrix output_gradient;
  RandomMatrix output;
  RandomMatrix log_sums;
  RandomMatrix query_gradient;
  RandomMatrix memory_gradient;
  MultiHeadOptions options;
  MultiHeadInput input;
  MultiHeadGradient gradient;
};

using Doubles = std::vector<std::vector<double>>;

Doubles Zeros(int64_t rows, int64_t columns) {
  return Doubles(static_cast<size_t>(rows), std::vector<double>(static_cast<size_t>(columns)));
}

struct ExpectedAttention {
  Doubles output;
  Doubles queries;
  Doubles keys;
  Doubles values;
};

// The formula and its gradients, in double. `kept(row, head, key)` is the factor of dropout.
template <typename Kept>
ExpectedAttention Plain(const Pass& pass, const Kept& kept) {
  const int64_t size = pass.output.view.columns;
  const int64_t heads = pass.options.heads;
  const int64_t d = size / heads;
  ExpectedAttention expected = {
      Zeros(pass.query_rows.rows(), size), Zeros(pass.query_rows.rows(), size),
      Zeros(pass.key_rows.rows(), size), Zeros(pass.key_rows.rows(), size)};
  const auto at = [](ConstMatrix matrix, int64_t row, int64_t column) {
    return static_cast<double>(matrix.row(row)[column]);
  };
  for (int64_t sentence = 0; sentence < pass.query_rows.batch(); ++sentence) {
    const int64_t first = pass.key_rows.begin(sentence);
    for (int64_t i = 0; i < pass.query_rows.length(sentence); ++i) {
      const int64_t row = pass.query_rows.begin(sentence) + i;
      const int64_t keys = pass.options.causal ? i + 1 : pass.key_rows.length(sentence);
      for (int64_t head = 0; head < heads; ++head) {
        std::vector<double> weights(static_cast<size_t>(keys));
        std::vector<double> gradients(static_cast<size_t>(keys));
        double sum = 0;
        for (int64_t key = 0; key < keys; ++key) {
          double score = 0;
          for (int64_t k = head * d; k < (head + 1) * d; ++k)
            score += at(pass.input.queries, row, k) * at(pass.input.keys, first + key, k);
          weights[static_cast<size_t>(key)] = std::exp(score / std::sqrt(static_cast<double>(d)));
          sum += weights[static_cast<size_t>(key)];
        }
        double mean = 0;
        for (int64_t key = 0; key < keys; ++key) {
          double& weight = weights[static_cast<size_t>(key)];
          weight /= sum;
          const double factor = kept(row, head, key);
          for (int64_t k = head * d; k < (head + 1) * d; ++k) {
            const double g = at(pass.output_gradient.view, row, k);
            const auto column = static_cast<size_t>(k);
            expected.output[static_cast<size_t>(row)][column] +=
                weight * factor * at(pass.input.values, first + key, k);
            expected.values[static_cast<size_t>(first + key)][column] += weight * factor * g;
            gradients[static_cast<size_t>(key)] +=
                factor * g * at(pass.input.values, first + key, k);
          }
          mean += weight * gradients[static_cast<size_t>(key)];
        }
        for (int64_t key = 0; key < keys; ++key) {
          const double g = weights[static_cast<size_t>(key)] *
                           (gradients[static_cast<size_t>(key)] - mean) /
                           std::sqrt(static_cast<double>(d));
          for (int64_t k = head * d; k < (head + 1) * d; ++k) {
            const auto column = static_cast<size_t>(k);
            expected.queries[static_cast<size_t>(row)][column] +=
                g * at(pass.input.keys, first + key, k);
            expected.keys[static_cast<size_t>(first + key)][column] +=
                g * at(pass.input.queries, row, k);
          }
        }
      }
    }
  }
  return expected;
}

// Rows past the last token are exactly zero.
void ExpectNear(ConstMatrix found, const Doubles& expected, int64_t tokens,
                const std::string& what) {
  double error = 0;
  for (int64_t row = 0; row < found.rows; ++row) {
    for (int64_t i = 0; i < found.columns; ++i) {
      const double value = expected[static_cast<size_t>(row)][static_cast<size_t>(i)];
      error = std::max(error, std::abs(static_cast<double>(found.row(row)[i]) - value));
      if (row >= tokens) {
        ASSERT_EQ(found.row(row)[i], 0) << what;
      }
    }
  }
  EXPECT_LT(error, 1e-5) << what;
}

void ExpectAgreement(const Pass& pass, const ExpectedAttention& expected, const std::string& what) {
  const int64_t queries = pass.query_rows.tokens();
  const int64_t keys = pass.key_rows.tokens();
  ExpectNear(pass.output.view, expected.output, queries, what + ", output");
  ExpectNear(pass.gradient.queries, expected.queries, queries, what + ", queries");
  ExpectNear(pass.gradient.keys, expected.keys, keys, what + ", keys");
  ExpectNear(pass.gradient.values, expected.values, keys, what + ", values");
}

constexpr auto kNoDropout = [](int64_t row, int64_t head, int64_t key) { return 1.0; };

TEST(MultiHeadAttention, AgreesWithItsDefinitionForAnyLengthAndSize) {
  const std::vector<int64_t> lengths = {3, 1, 5, 17, 24, 2};
  const std::vector<int64_t> others = {4, 2, 1, 31, 16, 0};
  const std::vector<int64_t> longer = {25, 60, 49};
  for (const auto& [heads, size] : {std::pair<int64_t, int64_t>{1, 1},
                                    {2, 8},
                                    {3, 21},
                                    {4, 64},
                                    {2, 40},
                                    {1, 33},
                                    {2, 96},
                                    {4, 256},
                                    {1, 100}}) {
    for (const Case& c :
         {Case{lengths, lengths, heads, size}, Case{lengths, others, heads, size},
          Case{lengths, lengths, heads, size, true}, Case{longer, longer, heads, size, true},
          Case{longer, {61, 1, 33}, heads, size}}) {
      const Pass pass(c);
      pass.Compute();
      ExpectAgreement(pass, Plain(pass, kNoDropout), Describe(c));
    }
  }
}

TEST(MultiHeadAttention, OfALongSentenceAndLargeScores) {
  const Pass pass({{300}, {300}, 2, 32});
  for (int64_t i = 0; i < pass.queries.view.rows * pass.queries.view.columns; ++i)
    pass.queries.view.data[i] *= 20;
  pass.Compute();
  const ExpectedAttention expected = Plain(pass, kNoDropout);
  for (int64_t row = 0; row < 300; ++row) {
    for (int64_t i = 0; i < 32; ++i) {
      ASSERT_NEAR(pass.output.view.row(row)[i],
                  expected.output[static_cast<size_t>(row)][static_cast<size_t>(i)], 1e-4);
    }
  }
}

// Without gradient, the forward pass needs no denominators.
TEST(MultiHeadAttention, DependsNeitherOnThreadsNorOnOtherSentences) {
  const std::vector<int64_t> lengths = {7, 1, 30, 5};
  for (const bool causal : {false, true}) {
    const Pass one({lengths, lengths, 3, 60, causal});
    const Pass two({lengths, lengths, 3, 60, causal});
    SetParallelThreads(1);
    one.Compute();
    SetParallelThreads(2);
    two.Compute();
    SetParallelThreads(0);
    const auto expect_equal = [](ConstMatrix a, ConstMatrix b) {
      for (int64_t row = 0; row < a.rows; ++row) {
        for (int64_t i = 0; i < a.columns; ++i) ASSERT_EQ(a.row(row)[i], b.row(row)[i]);
      }
    };
    expect_equal(one.output.view, two.output.view);
    expect_equal(one.query_gradient.view, two.query_gradient.view);
    expect_equal(one.memory_gradient.view, two.memory_gradient.view);

    const SequenceRows alone({30});
    const Buffer output(alone.rows(), 60);
    const MultiHeadInput third = {one.query_rows.Of(one.input.queries, 2),
                                  one.key_rows.Of(one.input.keys, 2),
                                  one.key_rows.Of(one.input.values, 2)};
    MultiHeadAttention(alone, alone, third, one.options, output.view(), {});
    expect_equal(output.view().Rows(0, 30), one.query_rows.Of(one.output.view, 2));
  }
}

// With equal scores, and values that form an identity matrix in each head, the output shows which
// weights are dropped.
std::vector<double> FactorsOf(const Case& c, const MultiHeadOptions& options) {
  const int64_t d = c.size / c.heads;
  const Pass pass(c);
  Clear(pass.queries.view);
  Clear(pass.memory.view);
  for (int64_t sentence = 0; sentence < pass.key_rows.batch(); ++sentence) {
    for (int64_t key = 0; key < pass.key_rows.length(sentence); ++key) {
      for (int64_t head = 0; head < c.heads; ++head)
        pass.memory.view.row(pass.key_rows.begin(sentence) + key)[c.size + head * d + key] = 1;
    }
  }
  MultiHeadAttention(pass.query_rows, pass.key_rows, pass.input, options, pass.output.view, {});
  std::vector<double> factors;
  for (int64_t row = 0; row < pass.output.view.rows; ++row) {
    for (int64_t i = 0; i < c.size; ++i)
      factors.push_back(pass.output.view.row(row)[i] == 0 ? 0 : 1 / (1 - options.dropout));
  }
  return factors;
}

TEST(MultiHeadAttention, DropsTheSameWeightsInBothPasses) {
  for (const bool causal : {false, true}) {
    const std::vector<int64_t> lengths = {20, 1, 31};
    const Case c = {lengths, lengths, 2, 64, causal};
    Pass pass(c);
    pass.options.dropout = 0.3;
    pass.options.seed = 11;
    const std::vector<double> factors = FactorsOf(c, pass.options);
    pass.Compute();
    const auto kept = [&](int64_t row, int64_t head, int64_t key) {
      return factors[static_cast<size_t>(row * 64 + head * 32 + key)];
    };
    ExpectAgreement(pass, Plain(pass, kept), Describe(c));
    if (causal) continue;
    int64_t drawn = 0;
    int64_t dropped = 0;
    for (int64_t sentence = 0; sentence < 3; ++sentence) {
      for (int64_t i = 0; i < lengths[static_cast<size_t>(sentence)]; ++i) {
        for (int64_t key = 0; key < lengths[static_cast<size_t>(sentence)]; ++key) {
          for (const int64_t head : {0, 1}) {
            ++drawn;
            dropped += kept(pass.query_rows.begin(sentence) + i, head, key) == 0;
          }
        }
      }
    }
    EXPECT_NEAR(static_cast<double>(dropped) / static_cast<double>(drawn), 0.3, 0.03);
  }
}

}  // namespace
}  // namespace seq2seq
