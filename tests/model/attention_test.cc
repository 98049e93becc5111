#include "seq2seq/model/attention.h"

#include <cmath>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "tests/tiny_model.h"

namespace seq2seq {
namespace {

constexpr AttentionKind kKinds[] = {AttentionKind::kGeneral, AttentionKind::kDot,
                                    AttentionKind::kMlp};
constexpr int64_t kQueries = 3;

std::string Name(AttentionKind kind) { return EnumTexts(kind)[static_cast<size_t>(kind)]; }

// Sentences of 4, 2 and 1 tokens, [3, 4, size].
Encoded TinySource(int64_t size) {
  const torch::Tensor mask = torch::arange(4) < torch::tensor({4, 2, 1}).unsqueeze(1);
  const torch::Tensor values = torch::randn({3, 4, size}, torch::kFloat64) * mask.unsqueeze(2);
  return {values, mask, torch::Tensor()};
}

// Attention of queries of 6 to a memory of 4, or of 6 where both have to agree.
class TinyAttention {
 public:
  explicit TinyAttention(AttentionKind kind)
      : size(kind == AttentionKind::kDot ? 6 : 4), attention(MakeAttention(kind, size, 6)) {
    attention->to(torch::kFloat64);
    Randomize(*attention, 1);
    source = TinySource(size);
    query = torch::randn({3, kQueries, 6}, torch::kFloat64);
    memory = attention->Memorize(source);
    attended = attention(query, memory);
    parameters = Parameters(*attention);
  }

  int64_t size;
  Attention attention;
  Encoded source;
  torch::Tensor query;
  Memory memory;
  Attended attended;
  TensorMap parameters;
};

// The score of one query and one value, written out.
torch::Tensor ScoreOf(AttentionKind kind, const TensorMap& parameters, const torch::Tensor& query,
                      const torch::Tensor& value) {
  switch (kind) {
    case AttentionKind::kGeneral:
      return query.dot(parameters.at("projection.weight").mv(value));
    case AttentionKind::kDot:
      return query.dot(value);
    case AttentionKind::kMlp:
      return parameters.at("energy.weight")[0].dot(torch::tanh(
          parameters.at("query_projection.weight").mv(query) +
          parameters.at("key_projection.weight").mv(value) + parameters.at("key_projection.bias")));
  }
  return {};
}

TEST(Attention, AgreesWithItsFormula) {
  for (const AttentionKind kind : kKinds) {
    TinyAttention tiny(kind);
    for (int64_t sentence = 0; sentence < 3; ++sentence) {
      for (int64_t step = 0; step < kQueries; ++step) {
        const int64_t tokens = tiny.source.mask[sentence].sum().item<int64_t>();
        std::vector<double> exponentials;
        double sum = 0;
        for (int64_t i = 0; i < tokens; ++i) {
          const torch::Tensor score = ScoreOf(kind, tiny.parameters, tiny.query[sentence][step],
                                              tiny.source.values[sentence][i]);
          exponentials.push_back(std::exp(score.item<double>()));
          sum += exponentials.back();
        }
        torch::Tensor context = torch::zeros({tiny.size}, torch::kFloat64);
        for (int64_t i = 0; i < tokens; ++i) {
          const double weight = exponentials[static_cast<size_t>(i)] / sum;
          EXPECT_NEAR(tiny.attended.weights[sentence][step][i].item<double>(), weight, 1e-12)
              << Name(kind);
          context += weight * tiny.source.values[sentence][i];
        }
        EXPECT_LT(MaxDifference(tiny.attended.context[sentence][step], context), 1e-12)
            << Name(kind);
      }
    }
  }
}

TEST(Attention, WeightsAddUpToOneOverTokensAndAreZeroAtPadding) {
  for (const AttentionKind kind : kKinds) {
    const TinyAttention tiny(kind);
    const torch::Tensor weights = tiny.attended.weights;
    EXPECT_LT(MaxDifference(weights.sum(-1), torch::ones({3, kQueries})), 1e-12) << Name(kind);
    const torch::Tensor mask = tiny.source.mask.unsqueeze(1).expand_as(weights);
    EXPECT_TRUE(torch::equal(weights.gt(0), mask)) << Name(kind);
  }
}

TEST(Attention, DotOfSizesThatDifferIsRefused) {
  EXPECT_THROW(MakeAttention(AttentionKind::kDot, 4, 6), c10::Error);
}

TEST(Memory, SelectedSentencesAreReadAsBefore) {
  for (const AttentionKind kind : kKinds) {
    TinyAttention tiny(kind);
    const torch::Tensor sentences = torch::tensor({2, 0, 2});
    const Attended selected =
        tiny.attention(tiny.query.index_select(0, sentences), tiny.memory.Select(sentences));
    EXPECT_LT(MaxDifference(selected.weights, tiny.attended.weights.index_select(0, sentences)),
              1e-12);
    EXPECT_LT(MaxDifference(selected.context, tiny.attended.context.index_select(0, sentences)),
              1e-12);
  }
}

}  // namespace
}  // namespace seq2seq
