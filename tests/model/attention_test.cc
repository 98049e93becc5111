#include "seq2seq/model/attention.h"

#include <cmath>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

constexpr AttentionKind kKinds[] = {AttentionKind::kGeneral,   AttentionKind::kDot,
                                    AttentionKind::kMlp,       AttentionKind::kScaledDot,
                                    AttentionKind::kCoverage,  AttentionKind::kLocation,
                                    AttentionKind::kMultiHead, AttentionKind::kNone};
constexpr int64_t kQueries = 3;

// Sentences of 4, 2 and 1 tokens, [3, 4, size].
Encoded TinySource(int64_t size) {
  Encoded source = {torch::randn({3, 4, size}, torch::kFloat64), torch::tensor({4, 2, 1}), {}};
  source.values = source.values * source.Mask().unsqueeze(2);
  return source;
}

// Attention of queries of 6 to a memory of 4, or of 6 where both have to agree.
class TinyAttention {
 public:
  explicit TinyAttention(AttentionKind kind)
      : size(kind == AttentionKind::kDot || kind == AttentionKind::kScaledDot ? 6 : 4),
        attention(MakeAttention(kind, size, 6, /*heads=*/2)) {
    attention->to(torch::kFloat64);
    Randomize(*attention, 1);
    source = TinySource(size);
    query = torch::randn({3, kQueries, 6}, torch::kFloat64);
    memory = attention->Memorize(source);
    // Attention weights or coverage of one or several earlier time steps.
    past = torch::rand({3, kQueries, 4}, torch::kFloat64) * source.Mask().unsqueeze(1);
    attended = attention(query, memory, past);
    parameters = Parameters(*attention);
  }

  int64_t size;
  Attention attention;
  Encoded source;
  torch::Tensor query;
  Memory memory;
  torch::Tensor past;
  Attended attended;
  TensorMap parameters;
};

// The score of one query and value `place` of a sentence, written out.
torch::Tensor ScoreOf(AttentionKind kind, const TensorMap& parameters, const torch::Tensor& query,
                      const torch::Tensor& values, const torch::Tensor& past, int64_t place) {
  const torch::Tensor value = values[place];
  torch::Tensor added;
  switch (kind) {
    case AttentionKind::kGeneral:
      return query.dot(parameters.at("projection.weight").mv(value));
    case AttentionKind::kDot:
      return query.dot(value);
    case AttentionKind::kScaledDot:
      return query.dot(value) / std::sqrt(6.0);
    case AttentionKind::kCoverage:
      added = parameters.at("coverage.weight").select(1, 0) * past[place];
      break;
    case AttentionKind::kLocation: {
      const torch::Tensor filters = parameters.at("filters.weight");  // [filter, 1, width]
      torch::Tensor seen = torch::zeros({filters.size(0)}, torch::kFloat64);
      for (int64_t i = 0; i < filters.size(2); ++i) {
        const int64_t neighbour = place + i - filters.size(2) / 2;
        if (neighbour >= 0 && neighbour < past.size(0))
          seen = seen + filters.select(2, i).select(1, 0) * past[neighbour];
      }
      added = parameters.at("location.weight").mv(seen);
      break;
    }
    default:
      added = torch::zeros({6}, torch::kFloat64);
  }
  return parameters.at("energy.weight")[0].dot(
      torch::tanh(parameters.at("query_projection.weight").mv(query) +
                  parameters.at("key_projection.weight").mv(value) +
                  parameters.at("key_projection.bias") + added));
}

TEST(Attention, AgreesWithItsFormula) {
  for (const AttentionKind kind : kKinds) {
    if (kind == AttentionKind::kMultiHead || kind == AttentionKind::kNone) continue;
    TinyAttention tiny(kind);
    for (int64_t sentence = 0; sentence < 3; ++sentence) {
      for (int64_t step = 0; step < kQueries; ++step) {
        const int64_t tokens = tiny.source.Mask()[sentence].sum().item<int64_t>();
        std::vector<double> exponentials;
        double sum = 0;
        for (int64_t i = 0; i < tokens; ++i) {
          const torch::Tensor score =
              ScoreOf(kind, tiny.parameters, tiny.query[sentence][step],
                      tiny.source.values[sentence], tiny.past[sentence][step], i);
          exponentials.push_back(std::exp(score.item<double>()));
          sum += exponentials.back();
        }
        torch::Tensor context = torch::zeros({tiny.size}, torch::kFloat64);
        for (int64_t i = 0; i < tokens; ++i) {
          const double weight = exponentials[static_cast<size_t>(i)] / sum;
          EXPECT_NEAR(tiny.attended.weights[sentence][step][i].item<double>(), weight, 1e-12)
              << EnumText(kind);
          context += weight * tiny.source.values[sentence][i];
        }
        EXPECT_LT(MaxDifference(tiny.attended.context[sentence][step], context), 1e-12)
            << EnumText(kind);
      }
    }
  }
}

TEST(MultiHeadAttention, ReadsWithEachHeadByItself) {
  const TinyAttention tiny(AttentionKind::kMultiHead);
  const auto projected = [&](const char* name, const torch::Tensor& rows) {
    return torch::matmul(rows, tiny.parameters.at(name).t());
  };
  const torch::Tensor queries = projected("query_projection.weight", tiny.query);
  const torch::Tensor keys = projected("key_projection.weight", tiny.source.values);
  const torch::Tensor values = projected("value_projection.weight", tiny.source.values);
  torch::Tensor mean = torch::zeros_like(tiny.attended.weights);
  for (const int64_t first : {0, 3}) {
    const torch::Tensor scores =
        torch::bmm(queries.narrow(2, first, 3), keys.narrow(2, first, 3).transpose(1, 2)) /
        std::sqrt(3.0);
    const torch::Tensor weights = torch::softmax(
        scores.masked_fill(tiny.source.Mask().logical_not().unsqueeze(1), -INFINITY), -1);
    mean = mean + weights / 2;
    EXPECT_LT(MaxDifference(tiny.attended.context.narrow(2, first, 3),
                            torch::bmm(weights, values.narrow(2, first, 3))),
              1e-12);
  }
  EXPECT_LT(MaxDifference(tiny.attended.weights, mean), 1e-12);
}

TEST(NoAttention, ReadsNothing) {
  const TinyAttention tiny(AttentionKind::kNone);
  EXPECT_EQ(tiny.attended.context.size(2), 0);
  EXPECT_LT(MaxDifference(tiny.attended.weights[1][0],
                          torch::tensor({0.5, 0.5, 0.0, 0.0}, torch::kFloat64)),
            1e-12);
}

TEST(Attention, RemembersWhatItAsksFor) {
  for (const AttentionKind kind : kKinds) {
    const TinyAttention tiny(kind);
    const torch::Tensor& weights = tiny.attended.weights;
    const torch::Tensor next = tiny.attention->UpdateCoverage(weights, tiny.past);
    if (kind == AttentionKind::kCoverage) {
      EXPECT_TRUE(torch::equal(next, tiny.past + weights));
      EXPECT_TRUE(torch::equal(tiny.attention->UpdateCoverage(weights, {}), weights));
    } else if (kind == AttentionKind::kLocation) {
      EXPECT_TRUE(torch::equal(next, weights));
    } else {
      EXPECT_FALSE(next.defined()) << EnumText(kind);
    }
  }
}

TEST(Attention, WeightsAddUpToOneOverTokensAndAreZeroAtPadding) {
  for (const AttentionKind kind : kKinds) {
    const TinyAttention tiny(kind);
    const torch::Tensor weights = tiny.attended.weights;
    EXPECT_LT(MaxDifference(weights.sum(-1), torch::ones({3, kQueries})), 1e-12) << EnumText(kind);
    const torch::Tensor mask = tiny.source.Mask().unsqueeze(1).expand_as(weights);
    EXPECT_TRUE(torch::equal(weights.gt(0), mask)) << EnumText(kind);
  }
}

TEST(Attention, DotOfSizesThatDifferIsRefused) {
  EXPECT_THROW(MakeAttention(AttentionKind::kDot, 4, 6, 1), c10::Error);
}

TEST(Memory, SelectedSentencesAreReadAsBefore) {
  for (const AttentionKind kind : kKinds) {
    TinyAttention tiny(kind);
    const torch::Tensor sentences = torch::tensor({2, 0, 2});
    const Attended selected =
        tiny.attention(tiny.query.index_select(0, sentences), tiny.memory.Select(sentences),
                       tiny.past.index_select(0, sentences));
    EXPECT_LT(MaxDifference(selected.weights, tiny.attended.weights.index_select(0, sentences)),
              1e-12);
    EXPECT_LT(MaxDifference(selected.context, tiny.attended.context.index_select(0, sentences)),
              1e-12);
  }
}

}  // namespace
}  // namespace seq2seq
