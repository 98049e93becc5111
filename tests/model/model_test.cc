#include "seq2seq/model/model.h"

#include <algorithm>
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/model/loss.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr double kSmoothing = 0.1;

// Deep, with every attention, cell, bridge and way of stacking layers.
std::vector<ModelOptions> Variants() {
  std::vector<ModelOptions> variants;
  const auto add = [&](const std::function<void(ModelOptions&)>& change) {
    ModelOptions options = TinyOptions();
    options.encoder.layers = 2;
    options.decoder.layers = 2;
    change(options);
    EXPECT_TRUE(Validate(options).ok()) << Validate(options);
    variants.push_back(options);
  };
  for (const AttentionKind attention :
       {AttentionKind::kGeneral, AttentionKind::kDot, AttentionKind::kMlp,
        AttentionKind::kScaledDot, AttentionKind::kMultiHead, AttentionKind::kCoverage,
        AttentionKind::kLocation, AttentionKind::kNone}) {
    add([&](ModelOptions& options) {
      options.decoder.attention = attention;
      options.decoder.tied_embeddings = attention == AttentionKind::kMlp;
    });
  }
  for (const CellKind cell :
       {CellKind::kPeephole, CellKind::kGru, CellKind::kRnnTanh, CellKind::kRnnRelu,
        CellKind::kCoupled, CellKind::kLayerNormLstm, CellKind::kLayerNormGru}) {
    add([&](ModelOptions& options) { options.encoder.cell = options.decoder.cell = cell; });
  }
  for (const BridgeKind bridge :
       {BridgeKind::kMean, BridgeKind::kCopy, BridgeKind::kLayers, BridgeKind::kZero}) {
    add([&](ModelOptions& options) { options.bridge = bridge; });
  }
  for (const CellKind cell : {CellKind::kLstm, CellKind::kGru}) {
    add([&](ModelOptions& options) {
      options.encoder.cell = options.decoder.cell = cell;
      options.bridge = BridgeKind::kLayers;
      options.decoder.attention = AttentionKind::kMlp;
      options.decoder.conditional = true;
    });
  }
  for (const Directions directions : {Directions::kUnidirectional, Directions::kLowest}) {
    add([&](ModelOptions& options) {
      options.encoder.directions = directions;
      options.encoder.layers = 3;
      options.encoder.residual = options.decoder.residual = true;
    });
  }
  add([](ModelOptions& options) {
    options.source_vocab = options.target_vocab;
    options.encoder.embedding = options.decoder.embedding;
    options.shared_embeddings = options.decoder.tied_embeddings = true;
  });
  add([](ModelOptions& options) {
    options.source = SourceKind::kNone;
    options.decoder.attention = AttentionKind::kNone;
  });
  for (const auto& [name, options] : TransformerVariants()) variants.push_back(options);
  return variants;
}

Loss LossOf(Model& model, const Batch& batch) {
  return CrossEntropy(model(batch, TeacherForcing()), batch, kSmoothing);
}

TEST(Model, PaddingAndNeighboursChangeNeitherScoresNorLossNorGradients) {
  for (const ModelOptions& options : Variants()) {
    Model model = TinyModel(options);
    const std::vector<Pair> pairs = RandomPairs(options, {{2, 5}, {6, 1}, {1, 3}, {4, 4}});
    const Batch batch = MakeBatch(pairs);
    const torch::Tensor logits = model(batch, TeacherForcing());
    const Loss together = LossOf(model, batch);
    const TensorMap gradients = GradientsOf(*model, together.objective);

    std::vector<torch::Tensor> logits_alone;
    double objective = 0, nll = 0, correct = 0;
    TensorMap sum;
    for (const Pair& pair : pairs) {
      const Batch alone = MakeBatch({pair});
      logits_alone.push_back(model(alone, TeacherForcing()));
      const Loss loss = LossOf(model, alone);
      objective += loss.objective.item<double>();
      nll += loss.nll.item<double>();
      correct += loss.correct.item<double>();
      for (const auto& [name, gradient] : GradientsOf(*model, loss.objective)) {
        sum[name] = sum.count(name) == 0 ? gradient : sum[name] + gradient;
      }
    }
    EXPECT_LT(MaxDifference(logits, torch::cat(logits_alone)), 1e-11);
    EXPECT_NEAR(together.objective.item<double>(), objective, 1e-10);
    EXPECT_NEAR(together.nll.item<double>(), nll, 1e-10);
    EXPECT_EQ(together.correct.item<double>(), correct);
    for (const auto& [name, gradient] : gradients) {
      EXPECT_LT(MaxDifference(gradient, sum.at(name)), 1e-10) << name;
    }
  }
}

TEST(Model, ColumnsOfPaddingAloneChangeNeitherScoresNorGradients) {
  const ModelOptions options = TinyOptions();
  Model model = TinyModel(options);
  const Batch batch = MakeBatch(RandomPairs(options, {{2, 5}, {6, 1}}));
  Batch padded = batch;
  for (torch::Tensor* tensor : {&padded.source, &padded.target_input, &padded.target_output}) {
    *tensor = torch::constant_pad_nd(*tensor, {0, 3}, kPadId);
  }
  EXPECT_LT(MaxDifference(model(padded, TeacherForcing()), model(batch, TeacherForcing())), 1e-11);
  const TensorMap expected = GradientsOf(*model, LossOf(model, batch).objective);
  for (const auto& [name, gradient] : GradientsOf(*model, LossOf(model, padded).objective)) {
    EXPECT_LT(MaxDifference(gradient, expected.at(name)), 1e-11) << name;
  }
}

TEST(Model, GradientsAgreeWithFiniteDifferences) {
  constexpr double kStep = 1e-5;
  for (const ModelOptions& options : Variants()) {
    Model model = TinyModel(options);
    const Batch batch = MakeBatch(RandomPairs(options, {{3, 4}, {1, 2}}));
    const TensorMap gradients = GradientsOf(*model, LossOf(model, batch).objective);
    const torch::NoGradGuard no_grad;
    for (auto& [name, parameter] : Parameters(*model)) {
      // The elements with the largest gradients, and some others.
      const torch::Tensor gradient = gradients.at(name).flatten();
      const torch::Tensor positions =
          torch::cat({std::get<1>(gradient.abs().topk(std::min<int64_t>(3, gradient.numel()))),
                      torch::randint(gradient.numel(), {3}, torch::kInt64)});
      for (int64_t i = 0; i < positions.numel(); ++i) {
        const int64_t place = positions[i].item<int64_t>();
        torch::Tensor value = parameter.flatten()[place];
        const double before = value.item<double>();
        value.fill_(before + kStep);
        const double above = LossOf(model, batch).objective.item<double>();
        value.fill_(before - kStep);
        const double below = LossOf(model, batch).objective.item<double>();
        value.fill_(before);
        EXPECT_NEAR(gradient[place].item<double>(), (above - below) / (2 * kStep), 1e-6)
            << name << " " << place;
      }
    }
  }
}

TEST(Model, EveryParameterLearns) {
  for (const ModelOptions& options : Variants()) {
    Model model = TinyModel(options);
    const Batch batch = MakeBatch(RandomPairs(options, {{3, 4}, {5, 2}}));
    for (const auto& [name, gradient] : GradientsOf(*model, LossOf(model, batch).objective)) {
      EXPECT_GT(gradient.abs().max().item<double>(), 1e-6) << name;
    }
  }
}

// Every kind of dropout changes what training computes, differently each time, and nothing else.
TEST(Model, DropoutActsInTrainingOnly) {
  const std::function<void(ModelOptions&)> kinds[] = {
      [](ModelOptions& o) { o.encoder.dropout = 0.5; },
      [](ModelOptions& o) { o.decoder.dropout = 0.5; },
      [](ModelOptions& o) { o.decoder.attention_dropout = 0.5; },
      [](ModelOptions& o) { o.encoder.embedding_dropout = 0.5; },
      [](ModelOptions& o) { o.decoder.embedding_dropout = 0.5; },
      [](ModelOptions& o) { o.decoder.output_dropout = 0.5; },
      [](ModelOptions& o) { o.encoder.recurrent_dropout = 0.5; },
      [](ModelOptions& o) { o.decoder.recurrent_dropout = 0.5; },
      [](ModelOptions& o) {
        o.encoder.kind = EncoderKind::kTransformer;
        o.encoder.transformer.attention_dropout = 0.5;
      },
      [](ModelOptions& o) {
        o.decoder.kind = DecoderKind::kTransformer;
        o.decoder.transformer.activation_dropout = 0.5;
      },
      [](ModelOptions& o) {
        o.decoder.kind = DecoderKind::kSsru;
        o.decoder.dropout = 0.5;
      },
      [](ModelOptions& o) {
        o.encoder.variational = true;
        o.encoder.dropout = 0.5;
      },
      [](ModelOptions& o) {
        o.decoder.variational = true;
        o.decoder.layers = 2;
        o.decoder.dropout = o.decoder.attention_dropout = 0.5;
      },
  };
  for (const torch::ScalarType type : {torch::kFloat32, torch::kFloat64}) {
    for (size_t kind = 0; kind < std::size(kinds); ++kind) {
      ModelOptions options = TinyOptions();
      kinds[kind](options);
      Model model = TinyModel(options, type);
      const Batch batch = MakeBatch(RandomPairs(options, {{3, 4}, {5, 2}}));
      const torch::Tensor plain = model(batch, TeacherForcing());
      EXPECT_EQ(MaxDifference(model(batch, TeacherForcing()), plain), 0) << kind;
      model->train();
      const torch::Tensor dropped = model(batch, TeacherForcing());
      EXPECT_GT(MaxDifference(dropped, plain), 1e-3) << kind;
      EXPECT_GT(MaxDifference(model(batch, TeacherForcing()), dropped), 1e-3) << kind;
    }
  }
}

TEST(Model, WordDropoutMakesWordsUnknownInTrainingOnly) {
  for (const bool source : {true, false}) {
    ModelOptions options = TinyOptions();
    (source ? options.encoder.word_dropout : options.decoder.word_dropout) = 0.999999;
    Model model = TinyModel(options);
    const Batch batch = MakeBatch(RandomPairs(options, {{3, 4}, {5, 2}}));
    Batch unknown = batch;
    torch::Tensor& tokens = source ? unknown.source : unknown.target_input;
    tokens = torch::where(tokens.gt(kEosId), torch::full_like(tokens, kUnknownId), tokens);
    const torch::Tensor expected = model(unknown, TeacherForcing());
    EXPECT_GT(MaxDifference(model(batch, TeacherForcing()), expected), 1e-3);
    model->train();
    EXPECT_LT(MaxDifference(model(batch, TeacherForcing()), expected), 1e-12);
  }
}

TEST(Model, FloatAgreesWithDouble) {
  const ModelOptions options = TinyOptions();
  const Batch batch = MakeBatch(RandomPairs(options, {{2, 5}, {6, 1}}));
  Model model = TinyModel(options, torch::kFloat64);
  const torch::Tensor expected = model(batch, TeacherForcing());
  model->to(torch::kFloat32);
  EXPECT_LT(MaxDifference(model(batch, TeacherForcing()), expected), 1e-5);
}

TEST(Model, SameSeedGivesTheSameFirstWeights) {
  const auto weights = [](uint64_t seed) {
    torch::manual_seed(seed);
    return Parameters(*Model(TinyOptions()));
  };
  const TensorMap one = weights(1), again = weights(1), two = weights(2);
  for (const auto& [name, tensor] : one) {
    EXPECT_TRUE(torch::equal(tensor, again.at(name))) << name;
    if (name.find("bias") == std::string::npos) {
      EXPECT_FALSE(torch::equal(tensor, two.at(name))) << name;
    }
  }
}

TEST(Model, FirstWeightsAreThoseAskedFor) {
  ModelOptions options = TinyOptions();
  options.initialization.weights = Initialization::kZero;
  options.initialization.recurrent = Initialization::kUniform;
  options.initialization.range = 0.5;
  options.initialization.forget_bias = 3;
  const TensorMap parameters = Parameters(*Model(options));
  EXPECT_EQ(parameters.at("decoder.cell_0.weight_ih").abs().max().item<float>(), 0);
  EXPECT_EQ(parameters.at("decoder.readout.weight").abs().max().item<float>(), 0);
  EXPECT_EQ(parameters.at("encoder.forward_0.bias_ih")[4].item<float>(), 3);
  for (const char* name : {"encoder.backward_0.weight_hh", "decoder.embedding.weight"}) {
    const float largest = parameters.at(name).abs().max().item<float>();
    EXPECT_GT(largest, 0.3) << name;
    EXPECT_LE(largest, 0.5) << name;
  }
  EXPECT_EQ(parameters.at("decoder.embedding.weight")[kPadId].abs().max().item<float>(), 0);
  options.initialization.recurrent = Initialization::kOrthogonal;
  const torch::Tensor rotation =
      Parameters(*Model(options)).at("decoder.cell_0.weight_hh").narrow(0, 0, 8);
  EXPECT_LT(MaxDifference(rotation.matmul(rotation.t()), torch::eye(8)), 1e-5);
}

TEST(ValidateModel, AcceptsDefaultsWithVocabularies) {
  ModelOptions options;
  options.source_vocab = 100;
  options.target_vocab = 100;
  EXPECT_TRUE(Validate(options).ok());
}

TEST(ValidateModel, NamesTheKeyAndItsValue) {
  const std::pair<std::string, std::function<void(ModelOptions&)>> mistakes[] = {
      {"model.source_vocab: -7", [](ModelOptions& o) { o.source_vocab = -7; }},
      {"model.target_vocab: 0", [](ModelOptions& o) { o.target_vocab = 0; }},
      {"model.encoder.embedding: 0", [](ModelOptions& o) { o.encoder.embedding = 0; }},
      {"model.encoder.hidden: 20000000", [](ModelOptions& o) { o.encoder.hidden = 20'000'000; }},
      {"model.encoder.layers: 0", [](ModelOptions& o) { o.encoder.layers = 0; }},
      {"model.encoder.dropout: 1", [](ModelOptions& o) { o.encoder.dropout = 1; }},
      {"model.decoder.embedding: -1", [](ModelOptions& o) { o.decoder.embedding = -1; }},
      {"model.decoder.hidden: 0", [](ModelOptions& o) { o.decoder.hidden = 0; }},
      {"model.decoder.layers: -2", [](ModelOptions& o) { o.decoder.layers = -2; }},
      {"model.decoder.dropout: -0.5", [](ModelOptions& o) { o.decoder.dropout = -0.5; }},
      {"model.encoder.word_dropout: 1", [](ModelOptions& o) { o.encoder.word_dropout = 1; }},
      {"model.decoder.recurrent_dropout: 0.5",
       [](ModelOptions& o) {
         o.decoder.recurrent_dropout = 0.5;
         o.decoder.cell = CellKind::kRnnTanh;
       }},
      {"model.encoder.embedding_dropout: -0.5",
       [](ModelOptions& o) { o.encoder.embedding_dropout = -0.5; }},
      {"model.decoder.output_dropout: 1", [](ModelOptions& o) { o.decoder.output_dropout = 1; }},
      {"model.decoder.attention: general", [](ModelOptions& o) { o.source = SourceKind::kNone; }},
      {"model.initialization.range: 0", [](ModelOptions& o) { o.initialization.range = 0; }},
      {"model.decoder.attention_heads: 3",
       [](ModelOptions& o) {
         o.decoder.attention = AttentionKind::kMultiHead;
         o.decoder.attention_heads = 3;
       }},
      {"model.encoder.transformer.heads: 3",
       [](ModelOptions& o) {
         o.encoder.kind = EncoderKind::kTransformer;
         o.encoder.transformer.heads = 3;
       }},
      {"model.decoder.transformer.heads: 8",
       [](ModelOptions& o) {
         o.decoder.kind = DecoderKind::kTransformer;
         o.decoder.transformer.heads = 8;
         o.decoder.transformer.positions = PositionKind::kRotary;
       }},
      {"model.decoder.hidden: 5",
       [](ModelOptions& o) {
         o.decoder.kind = DecoderKind::kSsru;
         o.decoder.hidden = 5;
         o.decoder.transformer.heads = 1;
       }},
      {"model.decoder.attention: none",
       [](ModelOptions& o) {
         o.decoder.kind = DecoderKind::kTransformer;
         o.decoder.attention = AttentionKind::kNone;
       }},
      {"model.bridge: 7",
       [](ModelOptions& o) {
         o.bridge = BridgeKind::kCopy;
         o.decoder.hidden = 7;
       }},
      {"model.bridge: layers",
       [](ModelOptions& o) {
         o.bridge = BridgeKind::kLayers;
         o.encoder.kind = EncoderKind::kTransformer;
         o.encoder.hidden = 8;
         o.encoder.transformer.heads = 2;
       }},
      {"model.decoder.layers: 2",
       [](ModelOptions& o) {
         o.bridge = BridgeKind::kLayers;
         o.decoder.layers = 2;
       }},
      {"model.decoder.cell: gru",
       [](ModelOptions& o) {
         o.bridge = BridgeKind::kLayers;
         o.decoder.cell = CellKind::kGru;
       }},
      {"model.decoder.hidden: 7",
       [](ModelOptions& o) {
         o.bridge = BridgeKind::kLayers;
         o.decoder.hidden = 7;
       }},
      {"model.decoder.conditional: true",
       [](ModelOptions& o) {
         o.decoder.conditional = true;
         o.decoder.attention = AttentionKind::kNone;
       }},
      {"model.shared_embeddings: 11 x", [](ModelOptions& o) { o.shared_embeddings = true; }},
      {"model.decoder.copy: true for 11 and 9 subwords",
       [](ModelOptions& o) { o.decoder.copy = true; }},
      {"model.decoder.copy: true",
       [](ModelOptions& o) {
         o.source_vocab = o.target_vocab;
         o.decoder.copy = true;
         o.decoder.attention = AttentionKind::kNone;
       }},
      {"model.decoder.attention: 7",
       [](ModelOptions& o) {
         o.decoder.attention = AttentionKind::kDot;
         o.decoder.hidden = 7;
       }},
  };
  for (const auto& [expected, make] : mistakes) {
    ModelOptions options = TinyOptions();
    make(options);
    const absl::Status status = Validate(options);
    const size_t colon = expected.find(':');
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << expected;
    EXPECT_THAT(std::string(status.message()), StartsWith(expected.substr(0, colon + 1)));
    EXPECT_THAT(std::string(status.message()), HasSubstr("found" + expected.substr(colon + 1)));
  }
}

}  // namespace
}  // namespace seq2seq
