#include "seq2seq/model/recurrent_decoder.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/model/model.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

struct DecoderVariant {
  std::string name;
  ModelOptions options;
};

// Every attention, with and without input feeding and tied embeddings, of one and two layers; a
// gate of the context, and layers that add their input.
std::vector<DecoderVariant> DecoderVariants() {
  std::vector<DecoderVariant> variants;
  for (const AttentionKind attention :
       {AttentionKind::kGeneral, AttentionKind::kDot, AttentionKind::kMlp,
        AttentionKind::kScaledDot, AttentionKind::kMultiHead, AttentionKind::kCoverage,
        AttentionKind::kLocation, AttentionKind::kNone}) {
    for (const bool input_feeding : {false, true}) {
      for (const int64_t layers : {1, 2}) {
        for (const bool tied : {false, true}) {
          ModelOptions options = TinyOptions();
          options.decoder.attention = attention;
          options.decoder.input_feeding = input_feeding;
          options.decoder.layers = layers;
          options.decoder.tied_embeddings = tied;
          variants.push_back(
              {absl::StrCat(EnumText(attention), input_feeding ? ", input feeding" : "", ", ",
                            layers, " layers", tied ? ", tied" : ""),
               options});
        }
      }
    }
  }
  ModelOptions gated = TinyOptions();
  gated.decoder.context_gate = true;
  variants.push_back({"context gate", gated});
  gated.decoder.conditional = true;
  gated.decoder.layers = 2;
  variants.push_back({"conditional", gated});
  ModelOptions residual = TinyOptions();
  residual.decoder.layers = 3;
  residual.decoder.residual = true;
  variants.push_back({"residual", residual});
  return variants;
}

// Two sentences that the decoder is about to translate.
class Scene {
 public:
  explicit Scene(const ModelOptions& options, torch::ScalarType type = torch::kFloat64)
      : model(TinyModel(options, type)),
        batch(MakeBatch(RandomPairs(options, {{3, 5}, {6, 2}}))),
        decoder(model->decoder()),
        start(decoder->Start(model->Encode(batch))) {}

  // A copy of the initial state, to be changed.
  RecurrentDecoderState Start() const { return static_cast<const RecurrentDecoderState&>(*start); }

  Model model;
  Batch batch;
  Decoder decoder;
  std::shared_ptr<const DecoderState> start;
};

// In float the whole may go through the kernels.
TEST(Decoder, ForwardAgreesWithStepByStep) {
  std::vector<DecoderVariant> variants = DecoderVariants();
  const std::vector<std::string> cells = EnumTexts(CellKind());
  for (size_t i = 0; i < cells.size(); ++i) {
    ModelOptions options = TinyOptions();
    options.decoder.cell = static_cast<CellKind>(i);
    options.decoder.layers = 2;
    variants.push_back({cells[i], options});
  }
  for (const torch::ScalarType type : {torch::kFloat64, torch::kFloat32}) {
    const double tolerance = type == torch::kFloat64 ? 1e-12 : 1e-5;
    for (const DecoderVariant& variant : variants) {
      Scene scene(variant.options, type);
      const torch::Tensor whole = scene
                                      .decoder(scene.batch.target_input, scene.batch.target_lengths,
                                               *scene.start, TeacherForcing(), false)
                                      .outputs;
      std::shared_ptr<const DecoderState> state = scene.start;
      for (int64_t t = 0; t < whole.size(1); ++t) {
        const DecoderStep step = scene.decoder->Step(scene.batch.target_input.select(1, t), *state);
        for (int64_t row = 0; row < whole.size(0); ++row) {
          if (t >= scene.batch.target_lengths[row].item<int64_t>()) continue;  // Padding.
          EXPECT_LT(MaxDifference(step.output[row], whole[row][t]), tolerance)
              << variant.name << ", step " << t;
        }
        state = step.state;
      }
    }
  }
}

// The numbers that dropout leaves out of all steps have no gradient.
TEST(Decoder, VariationalDropoutLeavesOutTheSameAtEachStep) {
  for (const bool variational : {true, false}) {
    for (const double rate : {1.0, 0.0}) {
      ModelOptions options = TinyOptions();
      options.encoder.hidden = 16;
      options.decoder.embedding = options.decoder.hidden = 32;
      options.decoder.layers = 2;
      options.decoder.dropout = options.decoder.attention_dropout = 0.5;
      options.decoder.variational = variational;
      Model model = TinyModel(options);
      model->train();
      const Batch batch = MakeBatch(RandomPairs(options, {{4, 14}}));
      const TensorMap gradients = GradientsOf(
          *model,
          model->ComputeLoss(batch, {.rate = rate, .form = SamplingForm::kStepwise}).objective);
      const auto idle = [&](const char* name, int64_t columns) {
        const torch::Tensor gradient = gradients.at(name).to_dense().narrow(1, 0, columns);
        return gradient.abs().sum(0).eq(0).sum().item<int64_t>();
      };
      for (const int64_t count :
           {idle("decoder.embedding.weight", 32), idle("decoder.cell_1.weight_ih", 32),
            idle("decoder.readout.weight", 32), idle("decoder.output_weight", 32)}) {
        if (variational) {
          EXPECT_GT(count, 5) << rate;
          EXPECT_LT(count, 27) << rate;
        } else {
          EXPECT_EQ(count, 0) << rate;
        }
      }
    }
  }
}

TEST(Decoder, StepAgreesWithItsFormulas) {
  for (const DecoderVariant& variant : DecoderVariants()) {
    Scene scene(variant.options);
    const DecoderOptions& options = variant.options.decoder;
    const TensorMap parameters = Parameters(*scene.decoder);
    const torch::NoGradGuard no_grad;
    RecurrentDecoderState state = scene.Start();
    state.attentional_state = torch::randn_like(state.attentional_state);
    const torch::Tensor tokens = torch::tensor({5, 7});
    const DecoderStep step = scene.decoder->Step(tokens, state);
    const auto& after = static_cast<const RecurrentDecoderState&>(*step.state);

    const auto run_cell = [&](const std::string& name, const torch::Tensor& input,
                              const CellState& before) -> CellState {
      torch::nn::LSTMCell cell(input.size(1), options.hidden);
      cell->to(torch::kFloat64);
      for (auto& parameter : cell->named_parameters())
        parameter.value().copy_(parameters.at(absl::StrCat(name, ".", parameter.key())));
      const auto [hidden, cell_state] =
          cell(input, std::make_tuple(before.hidden, before.cell_state));
      return {hidden, cell_state};
    };
    std::vector<CellState> expected;
    torch::Tensor input = parameters.at("embedding.weight").index_select(0, tokens);
    if (options.input_feeding) input = torch::cat({input, state.attentional_state}, 1);
    for (int64_t layer = 0; layer < options.layers; ++layer) {
      expected.push_back(
          run_cell(absl::StrCat("cell_", layer), input, state.cells[static_cast<size_t>(layer)]));
      const torch::Tensor& hidden = expected.back().hidden;
      input = options.residual && layer > 0 ? hidden + input : hidden;
    }
    torch::Tensor context = torch::bmm(step.attention.unsqueeze(1), state.memory.values).squeeze(1);
    if (options.attention == AttentionKind::kMultiHead) {  // Has a test of its own.
      continue;
    }
    if (options.context_gate) {
      context = context * torch::sigmoid(input.matmul(parameters.at("gate.weight").t()) +
                                         parameters.at("gate.bias"));
    }
    if (options.conditional) {
      expected.back() = run_cell("context_cell", context, expected.back());
      input = expected.back().hidden;
    }
    for (size_t layer = 0; layer < expected.size(); ++layer) {
      const CellState& found = after.cells[layer];
      EXPECT_LT(MaxDifference(found.hidden, expected[layer].hidden), 1e-12) << variant.name;
      EXPECT_LT(MaxDifference(found.cell_state, expected[layer].cell_state), 1e-12) << variant.name;
    }
    const torch::Tensor attentional_state =
        torch::tanh(torch::cat({context, input}, 1).matmul(parameters.at("readout.weight").t()));
    EXPECT_LT(MaxDifference(step.output, attentional_state), 1e-12) << variant.name;
    EXPECT_TRUE(torch::equal(after.attentional_state, step.output)) << variant.name;
    const torch::Tensor output =
        parameters.at(options.tied_embeddings ? "embedding.weight" : "output_weight");
    EXPECT_LT(MaxDifference(scene.decoder->Logits(attentional_state),
                            attentional_state.matmul(output.t()) + parameters.at("output_bias")),
              1e-12)
        << variant.name;
  }
}

TEST(Decoder, InputFeedingSeesTheAttentionalStateBefore) {
  for (const bool input_feeding : {false, true}) {
    ModelOptions options = TinyOptions();
    options.decoder.input_feeding = input_feeding;
    Scene scene(options);
    RecurrentDecoderState other = scene.Start();
    other.attentional_state = torch::ones_like(other.attentional_state);
    const torch::Tensor tokens = torch::tensor({4, 5});
    const double difference = MaxDifference(scene.decoder->Step(tokens, *scene.start).output,
                                            scene.decoder->Step(tokens, other).output);
    if (input_feeding) {
      EXPECT_GT(difference, 1e-3);
    } else {
      EXPECT_EQ(difference, 0);
    }
  }
}

TEST(Decoder, GroupedRowsAgreeWithARepeatedMemory) {
  for (const DecoderVariant& variant : DecoderVariants()) {
    Scene scene(variant.options);
    const torch::Tensor rows = torch::tensor({0, 0, 0, 1, 1, 1});
    const auto selected = scene.start->Select({}, rows);
    auto state = static_cast<const RecurrentDecoderState&>(*selected);
    for (CellState& cell : state.cells) cell.hidden = torch::randn_like(cell.hidden);
    state.attentional_state = torch::randn_like(state.attentional_state);
    const torch::Tensor tokens = torch::tensor({4, 5, 6, 7, 8, 4});
    const DecoderStep grouped = scene.decoder->Step(tokens, state);
    state.memory = state.memory.Select(rows);
    const DecoderStep repeated = scene.decoder->Step(tokens, state);
    EXPECT_LT(MaxDifference(grouped.output, repeated.output), 1e-12) << variant.name;
    EXPECT_LT(MaxDifference(grouped.attention, repeated.attention), 1e-12) << variant.name;
    EXPECT_GT(MaxDifference(grouped.output[0], grouped.output[1]), 1e-3) << variant.name;
  }
}

TEST(DecoderState, SelectedRowsGoOnAsBefore) {
  ModelOptions options = TinyOptions();
  options.decoder.layers = 2;
  Scene scene(options);
  const torch::Tensor tokens = torch::tensor({4, 5});
  const auto state = scene.decoder->Step(tokens, *scene.start).state;
  const torch::Tensor rows = torch::tensor({1, 0, 1});
  const torch::Tensor plain = scene.decoder->Step(tokens, *state).output;
  const torch::Tensor selected =
      scene.decoder->Step(tokens.index_select(0, rows), *state->Select(rows, rows)).output;
  EXPECT_LT(MaxDifference(selected, plain.index_select(0, rows)), 1e-12);
}

TEST(Decoder, TiedEmbeddingsAreOneTensorCountedOnce) {
  ModelOptions options = TinyOptions();
  const size_t untied = Parameters(*TinyModel(options)->decoder()).size();
  options.decoder.tied_embeddings = true;
  Scene scene(options);
  TensorMap parameters = Parameters(*scene.decoder);
  EXPECT_EQ(parameters.size(), untied - 1);
  EXPECT_EQ(parameters.count("output_weight"), 0u);
  EXPECT_EQ(AttentionalSize(options.decoder), options.decoder.embedding);

  // Token 8 is not fed, so that its embedding is heard in the scores alone.
  const torch::Tensor attentional_state =
      torch::randn({1, options.decoder.embedding}, torch::kFloat64);
  const torch::Tensor before = scene.decoder->Logits(attentional_state);
  const torch::NoGradGuard no_grad;
  parameters.at("embedding.weight")[8] += attentional_state[0];
  const torch::Tensor change = scene.decoder->Logits(attentional_state) - before;
  EXPECT_NEAR(change[0][8].item<double>(), attentional_state.square().sum().item<double>(), 1e-12);
  EXPECT_EQ(change.narrow(1, 0, 8).abs().max().item<double>(), 0);
}

TEST(Decoder, DropoutActsInTrainingOnly) {
  ModelOptions options = TinyOptions();
  options.decoder.dropout = 0.5;
  Scene scene(options);
  const auto run = [&] {
    return scene.decoder->Logits(scene
                                     .decoder(scene.batch.target_input, scene.batch.target_lengths,
                                              *scene.start, TeacherForcing(), false)
                                     .outputs);
  };
  const torch::Tensor plain = run();
  EXPECT_EQ(MaxDifference(run(), plain), 0);
  scene.decoder->train();
  EXPECT_GT(MaxDifference(run(), plain), 0.01);
}

TEST(Decoder, DoublyStochasticPenaltyIsThatOfTheFormula) {
  ModelOptions options = TinyOptions();
  options.decoder.doubly_stochastic = 0.5;
  Scene scene(options);
  const auto objective = [&] {
    return scene.model->ComputeLoss(scene.batch, TeacherForcing()).objective;
  };
  const double without = objective().item<double>();  // In eval mode.
  scene.model->train();
  const torch::Tensor with = objective();

  double penalty = 0;
  for (const int64_t sentence : {0, 1}) {
    const int64_t source = scene.batch.source_lengths[sentence].item<int64_t>();
    const int64_t target = scene.batch.target_lengths[sentence].item<int64_t>();
    torch::Tensor attended = torch::zeros({source}, torch::kFloat64);
    std::shared_ptr<const DecoderState> state = scene.start;
    for (int64_t t = 0; t < target; ++t) {
      const DecoderStep step = scene.decoder->Step(scene.batch.target_input.select(1, t), *state);
      attended = attended + step.attention[sentence].narrow(0, 0, source);
      state = step.state;
    }
    penalty += 0.5 * (1 - attended).pow(2).sum().item<double>();
  }
  EXPECT_GT(penalty, 0.1);
  EXPECT_NEAR(with.item<double>() - without, penalty, 1e-9);

  // Its gradient by differences.
  const TensorMap gradients = GradientsOf(*scene.model, objective());
  torch::Tensor weight = Parameters(*scene.model).at("decoder.attention.projection.weight");
  const torch::NoGradGuard no_grad;
  constexpr double kStep = 1e-5;
  weight[0][0] += kStep;
  const double above = objective().item<double>();
  weight[0][0] -= 2 * kStep;
  const double below = objective().item<double>();
  EXPECT_NEAR((above - below) / (2 * kStep),
              gradients.at("decoder.attention.projection.weight")[0][0].item<double>(), 1e-6);
}

}  // namespace
}  // namespace seq2seq
