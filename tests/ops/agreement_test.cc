// The kernels agree with the plain formulas, in values and in all gradients.
#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/kernels/precision_choice.h"
#include "seq2seq/model/image_encoder.h"
#include "seq2seq/model/model.h"
#include "seq2seq/ops/compute.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

using Lengths = std::vector<std::pair<size_t, size_t>>;

struct Outcome {
  double objective = 0;
  double nll = 0;
  int64_t correct = 0;
  TensorMap gradients;
};

Outcome Pass(Model model, const Batch& batch, bool fused, const TeacherForcing& forcing = {},
             Precision precision = Precision::kFp32) {
  const ComputeGuard guard({fused, precision});
  const Loss loss = model->ComputeLoss(batch, forcing, {.smoothing = 0.1, .scale = 0.25});
  Outcome outcome;
  outcome.objective = loss.objective.item<double>();
  outcome.nll = loss.nll.item<double>();
  outcome.correct = loss.correct.item<int64_t>();
  outcome.gradients = GradientsOf(*model, loss.objective);
  for (auto& [name, gradient] : outcome.gradients) gradient = gradient.to_dense();
  return outcome;
}

// The largest difference of a gradient, relative to its largest value. `doubles`, where it is
// there, is what double precision gives: `fused` may then be as far from it as `plain` is, twice.
void ExpectAgreement(const Outcome& fused, const Outcome& plain, double tolerance,
                     const std::string& what, const Outcome* doubles = nullptr) {
  EXPECT_NEAR(fused.objective, plain.objective, tolerance * std::abs(plain.objective)) << what;
  EXPECT_NEAR(fused.nll, plain.nll, tolerance * plain.nll) << what;
  const Outcome& exact = doubles == nullptr ? plain : *doubles;
  for (const auto& [name, gradient] : exact.gradients) {
    const double size = gradient.abs().max().item<double>();
    const double error = MaxDifference(plain.gradients.at(name).to(gradient.dtype()), gradient);
    EXPECT_LT(MaxDifference(fused.gradients.at(name).to(gradient.dtype()), gradient),
              std::max(tolerance * size, 2 * error) + 1e-7)
        << what << ", " << name;
  }
}

const std::vector<std::pair<std::string, Lengths>>& Batches() {
  static const auto* batches = new std::vector<std::pair<std::string, Lengths>>{
      {"one sentence of one piece", {{0, 0}}},
      {"one sentence", {{4, 6}}},
      {"no padding", {{3, 5}, {3, 5}, {3, 5}}},
      {"some padding", {{5, 2}, {3, 7}, {6, 1}, {1, 4}, {4, 4}}},
      {"much padding", {{1, 20}, {17, 1}, {1, 1}, {2, 1}, {1, 2}, {1, 1}, {3, 1}}},
      {"many sentences", Lengths(37, {3, 2})},
  };
  return *batches;
}

ModelOptions OptionsOf(CellKind cell, int64_t layers) {
  ModelOptions options = TinyOptions();
  options.encoder.cell = options.decoder.cell = cell;
  options.encoder.layers = options.decoder.layers = layers;
  return options;
}

class FusedAgreesWithPlain : public testing::TestWithParam<std::tuple<CellKind, int64_t>> {
 protected:
  static void ExpectPathsAgree(Model& model, const Batch& batch, const std::string& what) {
    const Outcome fused = Pass(model, batch, true);
    const Outcome plain = Pass(model, batch, false);
    // A cell without bounds makes rounding grow from step to step, on the plain path by an amount
    // that depends on the processor.
    std::optional<Outcome> doubles;
    if (std::get<0>(GetParam()) == CellKind::kRnnRelu) {
      model->to(torch::kFloat64);
      doubles = Pass(model, batch, false);
      model->to(torch::kFloat32);
    }
    ExpectAgreement(fused, plain, 1e-4, what, doubles ? &*doubles : nullptr);
    EXPECT_EQ(fused.correct, plain.correct) << what;
  }
};

TEST_P(FusedAgreesWithPlain, ForEveryAttentionAndBatch) {
  const auto [cell, layers] = GetParam();
  for (const AttentionKind attention :
       {AttentionKind::kGeneral, AttentionKind::kDot, AttentionKind::kScaledDot,
        AttentionKind::kNone, AttentionKind::kMlp, AttentionKind::kCoverage}) {
    for (const bool input_feeding : {true, false}) {
      ModelOptions options = OptionsOf(cell, layers);
      options.decoder.attention = attention;
      options.decoder.input_feeding = input_feeding;
      options.decoder.tied_embeddings = input_feeding;
      Model model = TinyModel(options, torch::kFloat32);
      EXPECT_TRUE(model->is_fused());
      EXPECT_EQ(model->DescribePaths(), "fused encoder, fused decoder");
      for (const auto& [what, lengths] : Batches()) {
        const Batch batch = MakeBatch(RandomPairs(options, lengths));
        ExpectPathsAgree(
            model, batch,
            absl::StrCat(what, ", ", EnumText(attention), input_feeding ? ", input feeding" : ""));
      }
    }
  }
}

TEST_P(FusedAgreesWithPlain, WithAConditionalCell) {
  const auto [cell, layers] = GetParam();
  for (const AttentionKind attention :
       {AttentionKind::kGeneral, AttentionKind::kMlp, AttentionKind::kCoverage}) {
    ModelOptions options = OptionsOf(cell, layers);
    options.decoder.conditional = true;
    options.decoder.attention = attention;
    options.decoder.input_feeding = attention == AttentionKind::kGeneral;
    Model model = TinyModel(options, torch::kFloat32);
    EXPECT_TRUE(model->is_fused());
    for (const auto& [what, lengths] : Batches()) {
      const Batch batch = MakeBatch(RandomPairs(options, lengths));
      ExpectPathsAgree(model, batch, absl::StrCat(what, ", ", EnumText(attention)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, FusedAgreesWithPlain,
                         testing::Combine(testing::Values(CellKind::kLstm, CellKind::kPeephole,
                                                          CellKind::kGru, CellKind::kRnnTanh,
                                                          CellKind::kRnnRelu),
                                          testing::Values(1, 2)),
                         [](const auto& info) {
                           return absl::StrCat(EnumText(std::get<0>(info.param)), "_",
                                               std::get<1>(info.param), "_layers");
                         });

TEST(Fused, AgreesHoweverLayersAreStackedAndBridged) {
  for (const auto& [directions, merge] :
       {std::pair{Directions::kBidirectional, DirectionMerge::kConcat},
        {Directions::kBidirectional, DirectionMerge::kSum},
        {Directions::kUnidirectional, DirectionMerge::kConcat},
        {Directions::kLowest, DirectionMerge::kSum}}) {
    for (const BridgeKind bridge : {BridgeKind::kDense, BridgeKind::kMean, BridgeKind::kCopy,
                                    BridgeKind::kLayers, BridgeKind::kZero}) {
      ModelOptions options =
          OptionsOf(merge == DirectionMerge::kSum ? CellKind::kPeephole : CellKind::kLstm, 3);
      options.encoder.directions = directions;
      options.encoder.merge = merge;
      options.encoder.residual = true;
      options.bridge = bridge;
      options.decoder.hidden = OutputSize(options.encoder);
      options.source_vocab = options.target_vocab;
      options.encoder.embedding = options.decoder.embedding;
      options.shared_embeddings = true;
      Model model = TinyModel(options, torch::kFloat32);
      EXPECT_TRUE(model->is_fused());
      for (const auto& [what, lengths] : Batches()) {
        const Batch batch = MakeBatch(RandomPairs(options, lengths));
        ExpectAgreement(Pass(model, batch, true), Pass(model, batch, false), 1e-4,
                        absl::StrCat(what, ", ", EnumText(bridge)));
      }
    }
  }
}

TEST(Fused, AgreesWithoutASource) {
  for (const CellKind cell : {CellKind::kLstm, CellKind::kGru}) {
    for (const bool input_feeding : {true, false}) {
      ModelOptions options = OptionsOf(cell, 2);
      options.source = SourceKind::kNone;
      options.decoder.attention = AttentionKind::kNone;
      options.decoder.input_feeding = input_feeding;
      Model model = TinyModel(options, torch::kFloat32);
      EXPECT_TRUE(model->is_fused());
      for (const auto& [what, lengths] : Batches()) {
        const Batch batch = MakeBatch(RandomPairs(options, lengths));
        ExpectAgreement(Pass(model, batch, true), Pass(model, batch, false), 1e-4, what);
      }
    }
  }
}

// The bidirectional layer over the positions of images, with the gradient of their features.
TEST(Fused, RecurrentImageEncoderAgreesWithPlain) {
  ImageEncoderOptions options;
  options.network.kind = ImageNetworkKind::kFeatures;
  options.channels = 5;
  options.hidden = 12;
  options.recurrent = true;
  options.dropout = 0;
  ImageEncoder encoder(options);
  Randomize(*encoder, 1);
  for (const auto& [batch_size, positions] : {std::pair{1, 1}, {3, 7}, {17, 20}}) {
    Batch batch;
    batch.values = torch::randn({batch_size, positions, 5});
    batch.values.requires_grad_(true);
    const torch::Tensor weights = torch::randn({batch_size, positions, 12});
    torch::Tensor values[2], features[2];
    TensorMap gradients[2];
    for (const bool fused : {false, true}) {
      const ComputeGuard guard({.fused = fused});
      EXPECT_EQ(encoder->DescribePath(), fused ? "fused encoder" : "encoder step by step");
      batch.values.mutable_grad() = torch::Tensor();
      const Encoded encoded = encoder(batch);
      values[fused] = encoded.values.detach();
      gradients[fused] = GradientsOf(*encoder, (encoded.values * weights).sum());
      features[fused] = batch.values.grad().clone();
    }
    EXPECT_LT(MaxDifference(values[1], values[0]), 1e-5);
    EXPECT_LT(MaxDifference(features[1], features[0]), 1e-4);
    for (const auto& [name, gradient] : gradients[0]) {
      EXPECT_LT(MaxDifference(gradients[1].at(name), gradient),
                1e-4 * (1 + gradient.abs().max().item<double>()))
          << name;
    }
  }
}

// Sizes of real models, that fill vectors and leave rests.
TEST(Fused, AgreesAtOddAndLargeSizes) {
  for (const AttentionKind attention : {AttentionKind::kGeneral, AttentionKind::kCoverage}) {
    for (const auto& [embedding, hidden] : {std::pair{17, 33}, {64, 96}, {100, 130}}) {
      ModelOptions options = TinyOptions();
      options.decoder.attention = attention;
      options.source_vocab = options.target_vocab = 203;
      options.encoder.embedding = options.decoder.embedding = embedding;
      options.encoder.hidden = hidden;
      options.decoder.hidden = 2 * hidden;
      Model model(options);
      model->eval();
      const Batch batch = MakeBatch(RandomPairs(options, {{9, 12}, {20, 3}, {1, 1}, {14, 17}}));
      ExpectAgreement(Pass(model, batch, true), Pass(model, batch, false), 1e-4,
                      absl::StrCat("hidden ", hidden));
    }
  }
}

// Groups of sentences are split otherwise, and their gradients are added in another order.
TEST(Fused, TwoThreadsAgreeWithOne) {
  ModelOptions options = TinyOptions();
  options.encoder.hidden = 32;
  options.decoder.hidden = 64;
  Lengths lengths;
  for (size_t i = 0; i < 40; ++i) lengths.push_back({1 + i % 7, 1 + i % 11});
  const Batch batch = MakeBatch(RandomPairs(options, lengths));
  torch::set_num_threads(1);
  Model model(options);
  const Outcome one = Pass(model, batch, true);
  torch::set_num_threads(2);
  for (int i = 0; i < 20; ++i) ExpectAgreement(Pass(model, batch, true), one, 1e-5, "two threads");
  torch::set_num_threads(1);
}

TEST(Fused, PaddingOfTheWholeBatchChangesNothing) {
  const ModelOptions options = TinyOptions();
  Model model = TinyModel(options, torch::kFloat32);
  const Batch batch = MakeBatch(RandomPairs(options, {{3, 5}, {6, 2}}));
  Batch padded = batch;
  for (torch::Tensor* tensor : {&padded.source, &padded.target_input, &padded.target_output}) {
    *tensor = torch::constant_pad_nd(*tensor, {0, 3}, kPadId);
  }
  ExpectAgreement(Pass(model, padded, true), Pass(model, batch, true), 1e-6, "padded");
}

// Whether a part rests or learns alone, the others get the same gradients.
TEST(Fused, AgreesWhateverIsFrozen) {
  for (const AttentionKind attention : {AttentionKind::kGeneral, AttentionKind::kCoverage}) {
    ModelOptions options = OptionsOf(CellKind::kLstm, 2);
    options.decoder.attention = attention;
    const Batch batch = MakeBatch(RandomPairs(options, {{3, 5}, {6, 2}}));
    for (const auto& [chosen, unused] : Parameters(*Model(options))) {
      for (const bool alone : {false, true}) {
        Model model = TinyModel(options, torch::kFloat32);
        for (const auto& [name, parameter] : Parameters(*model))
          parameter.requires_grad_((name == chosen) == alone);
        const Outcome fused = Pass(model, batch, true);
        const Outcome plain = Pass(model, batch, false);
        ExpectAgreement(fused, plain, 1e-4, absl::StrCat(chosen, alone ? " alone" : " frozen"));
        EXPECT_EQ(plain.gradients.at(chosen).abs().max().item<float>() > 0, alone) << chosen;
      }
    }
  }
}

// As AgreesWhateverIsFrozen, for whole layers, under which the embedding is still to learn.
TEST(Fused, LearnsBelowAFrozenLayer) {
  const ModelOptions options = OptionsOf(CellKind::kLstm, 2);
  Model model = TinyModel(options, torch::kFloat32);
  for (const auto& [name, parameter] : Parameters(*model)) {
    if (name.rfind("encoder.forward_", 0) == 0 || name.rfind("encoder.backward_1", 0) == 0)
      parameter.requires_grad_(false);
  }
  const Batch batch = MakeBatch(RandomPairs(options, {{3, 5}, {6, 2}}));
  const Outcome fused = Pass(model, batch, true);
  ExpectAgreement(fused, Pass(model, batch, false), 1e-4, "frozen layers");
  EXPECT_GT(fused.gradients.at("encoder.embedding.weight").abs().max().item<float>(), 1e-4);
}

TEST(Fused, PredictedTokensAgreeWithPlain) {
  for (const AttentionKind attention : {AttentionKind::kGeneral, AttentionKind::kCoverage}) {
    for (const SamplingForm form : {SamplingForm::kStepwise, SamplingForm::kTwoPass}) {
      for (const double rate : {0.0, 0.5}) {
        ModelOptions options = OptionsOf(CellKind::kLstm, 2);
        options.decoder.attention = attention;
        Model model = TinyModel(options, torch::kFloat32);
        const Batch batch = MakeBatch(RandomPairs(options, {{3, 5}, {6, 9}, {1, 7}}));
        const TeacherForcing forcing = {.rate = rate, .form = form};
        torch::manual_seed(3);
        const Outcome fused = Pass(model, batch, true, forcing);
        torch::manual_seed(3);
        const Outcome plain = Pass(model, batch, false, forcing);
        ExpectAgreement(fused, plain, 1e-4, absl::StrCat("rate ", rate));
        EXPECT_GT(std::abs(fused.nll - Pass(model, batch, true).nll), 1e-3);
      }
    }
  }
}

TEST(Fused, Bfloat16StaysNear) {
  if (!HasPrecision(Precision::kBf16)) GTEST_SKIP() << "no bf16 on this machine";
  for (const AttentionKind attention : {AttentionKind::kGeneral, AttentionKind::kCoverage}) {
    ModelOptions options = TinyOptions();
    options.decoder.attention = attention;
    options.encoder.hidden = 32;
    options.decoder.hidden = 64;
    Model model(options);
    model->eval();
    const Batch batch = MakeBatch(RandomPairs(options, {{9, 12}, {20, 3}, {1, 1}, {14, 17}}));
    const Outcome bf16 = Pass(model, batch, true, {}, Precision::kBf16);
    const Outcome fp32 = Pass(model, batch, true);
    ExpectAgreement(bf16, fp32, 0.03, "bf16");
    EXPECT_NE(bf16.objective, fp32.objective);
  }
}

// With dropout the loss is a function of the parameters for a fixed seed: its gradient agrees with
// differences of its values.
TEST(Fused, GradientsUnderDropoutAgreeWithDifferences) {
  for (const AttentionKind attention : {AttentionKind::kGeneral, AttentionKind::kCoverage}) {
    ModelOptions options = OptionsOf(CellKind::kLstm, 2);
    options.decoder.attention = attention;
    options.encoder.dropout = options.decoder.dropout = 0.4;
    options.encoder.embedding_dropout = options.decoder.embedding_dropout = 0.2;
    options.decoder.output_dropout = 0.3;
    options.encoder.hidden = 16;
    options.decoder.hidden = 32;
    Model model(options);
    model->train();
    const Batch batch = MakeBatch(RandomPairs(options, {{9, 12}, {4, 3}, {7, 7}}));
    const auto loss = [&] {
      torch::manual_seed(5);
      return model->ComputeLoss(batch, TeacherForcing(), {.smoothing = 0.1}).objective;
    };
    EXPECT_EQ(loss().item<double>(), loss().item<double>());
    const TensorMap gradients = GradientsOf(*model, loss());
    const torch::NoGradGuard no_grad;
    for (auto& [name, parameter] : Parameters(*model)) {
      torch::manual_seed(7);
      torch::Tensor direction = torch::randn_like(parameter);
      if (name.find("embedding") != std::string::npos) direction[kPadId].zero_();
      const double expected = (gradients.at(name).to_dense() * direction).sum().item<double>();
      const double step = 2e-3 / std::sqrt(static_cast<double>(direction.numel()));
      parameter.add_(direction, step);
      const double above = loss().item<double>();
      parameter.add_(direction, -2 * step);
      const double below = loss().item<double>();
      parameter.add_(direction, step);
      EXPECT_NEAR((above - below) / (2 * step), expected, 0.02 * std::abs(expected) + 0.05) << name;
    }
  }
}

TEST(Fused, DropoutDrawsAnewInTrainingAndRestsInEval) {
  ModelOptions options = TinyOptions();
  options.encoder.dropout = options.decoder.dropout = 0.5;
  Model model = TinyModel(options, torch::kFloat32);
  const Batch batch = MakeBatch(RandomPairs(options, {{3, 5}, {6, 2}}));
  model->train();
  const Outcome first = Pass(model, batch, true);
  EXPECT_NE(first.objective, Pass(model, batch, true).objective);
  model->eval();
  EXPECT_EQ(Pass(model, batch, true).objective, Pass(model, batch, true).objective);
}

}  // namespace
}  // namespace seq2seq
