// Transformers agree with those of LibTorch, and time steps with whole targets.
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/model/transformer_layer.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

constexpr int64_t kSize = 12, kHeads = 3, kFeedForward = 20;

// Sets the parameters of `module` to those of the same names, but for `prefix`, in `from`.
void Copy(const TensorMap& from, const std::string& prefix, torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  module.to(torch::kFloat64);
  module.eval();
  for (auto& parameter : module.named_parameters())
    parameter.value().copy_(from.at(prefix + parameter.key()));
}

ModelOptions PostNorm(ActivationKind activation) {
  ModelOptions options = TinyOptions();
  options.encoder.kind = EncoderKind::kTransformer;
  options.decoder.kind = DecoderKind::kTransformer;
  options.encoder.hidden = options.decoder.hidden = kSize;
  for (TransformerOptions* layers : {&options.encoder.transformer, &options.decoder.transformer}) {
    layers->norm = NormPlacement::kPost;  // As LibTorch has it.
    layers->heads = kHeads;
    layers->feed_forward = kFeedForward;
    layers->activation = activation;
  }
  return options;
}

// Embeddings as the first layer reads them, [time, batch, size].
torch::Tensor Embed(const torch::Tensor& tokens, const torch::Tensor& weight) {
  const torch::Tensor embedded = weight.index_select(0, tokens.flatten())
                                     .view({tokens.size(0), tokens.size(1), weight.size(1)});
  return AddPositions(embedded, 0, TransformerOptions(), {}).transpose(0, 1);
}

TEST(Transformer, AgreesWithTheLayersOfLibTorch) {
  for (const ActivationKind activation : {ActivationKind::kRelu, ActivationKind::kGelu}) {
    const ModelOptions options = PostNorm(activation);
    Model model = TinyModel(options);
    const TensorMap parameters = Parameters(*model);
    const Batch batch = MakeBatch(RandomPairs(options, {{3, 5}, {6, 2}, {1, 7}}));
    const bool relu = activation == ActivationKind::kRelu;
    const auto name =
        relu ? torch::nn::activation_t(torch::kReLU) : torch::nn::activation_t(torch::kGELU);
    torch::nn::TransformerEncoderLayer encoder(
        torch::nn::TransformerEncoderLayerOptions(kSize, kHeads)
            .dim_feedforward(kFeedForward)
            .dropout(0)
            .activation(name));
    Copy(parameters, "encoder.layer_0.", *encoder);
    const torch::Tensor padding = batch.source.eq(kPadId);
    const Encoded encoded = model->Encode(batch);
    torch::Tensor expected = encoder(Embed(batch.source, parameters.at("encoder.embedding.weight")),
                                     torch::Tensor(), padding)
                                 .transpose(0, 1);
    expected = expected.masked_fill(padding.unsqueeze(2), 0);
    EXPECT_LT(MaxDifference(encoded.values, expected), 1e-12);

    torch::nn::TransformerDecoderLayer decoder(
        torch::nn::TransformerDecoderLayerOptions(kSize, kHeads)
            .dim_feedforward(kFeedForward)
            .dropout(0)
            .activation(name));
    Copy(parameters, "decoder.layer_0.", *decoder);
    const int64_t target = batch.target_input.size(1);
    expected =
        decoder(
            Embed(batch.target_input, parameters.at("decoder.embedding.weight")),
            encoded.values.transpose(0, 1),
            torch::nn::TransformerImpl::generate_square_subsequent_mask(target).to(torch::kFloat64),
            torch::Tensor(), torch::Tensor(), padding)
            .transpose(0, 1);
    const auto start = model->decoder()->Start(encoded);
    const Decoded decoded =
        model->decoder()(batch.target_input, batch.target_lengths, *start, TeacherForcing(), false);
    EXPECT_LT(MaxDifference(decoded.outputs, expected), 1e-12);
  }
}

TEST(Transformer, TimeStepsAgreeWithWholeTargets) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, options] : TransformerVariants()) {
    if (options.decoder.kind == DecoderKind::kRecurrent) continue;
    Model model = TinyModel(options);
    const Batch batch = MakeBatch(RandomPairs(options, {{3, 7}, {6, 7}}));
    const auto start = model->decoder()->Start(model->Encode(batch));
    const torch::Tensor whole =
        model->decoder()(batch.target_input, batch.target_lengths, *start, TeacherForcing(), false)
            .outputs;
    // Two rows for each sentence, of which the second is the hypothesis of the other sentence: the
    // first steps and the last are by themselves, and rows change their places between.
    std::shared_ptr<const DecoderState> state = start;
    for (int64_t t = 0; t < batch.target_input.size(1); ++t) {
      const DecoderStep step = model->decoder()->Step(batch.target_input.select(1, t), *state);
      EXPECT_LT(MaxDifference(step.output, whole.select(1, t)), 1e-12) << name << " " << t;
      state = step.state;
      if (t == 2) {
        state = state->Select({}, torch::tensor({0, 0, 1, 1}));
        state = state->Select(torch::tensor({0, 1}), torch::tensor({1, 2}));
      }
    }
  }
}

TEST(Transformer, ScheduledSamplingFeedsPredictedTokens) {
  const torch::NoGradGuard no_grad;
  for (const SamplingForm form : {SamplingForm::kStepwise, SamplingForm::kTwoPass}) {
    const ModelOptions options = TransformerVariants()[0].second;
    Model model = TinyModel(options);
    const Batch batch = MakeBatch(RandomPairs(options, {{3, 7}, {6, 7}}));
    TeacherForcing forcing;
    forcing.rate = 0;
    forcing.form = form;
    const torch::Tensor logits = model(batch, forcing);
    // Of the first time step, which feeds the beginning of sentence, the predictions follow.
    Batch fed = batch;
    fed.target_input = batch.target_input.clone();
    for (int64_t t = 1; t < fed.target_input.size(1); ++t) {
      const Batch& before = form == SamplingForm::kStepwise ? fed : batch;
      const torch::Tensor reached = model(before, TeacherForcing()).view({2, -1, logits.size(1)});
      fed.target_input.select(1, t).copy_(std::get<1>(reached.select(1, t - 1).max(1)));
    }
    EXPECT_LT(MaxDifference(model(fed, TeacherForcing()), logits), 1e-12);
    EXPECT_GT(MaxDifference(model(batch, TeacherForcing()), logits), 1e-3);
  }
}

TEST(Transformer, FirstWeightsKeepTheVarianceOfSignals) {
  ModelOptions options = PostNorm(ActivationKind::kRelu);
  options.encoder.hidden = options.decoder.hidden = 96;
  const TensorMap parameters = Parameters(*Model(options));
  EXPECT_NEAR(parameters.at("encoder.layer_0.self_attn.in_proj_weight").std().item<double>(),
              std::sqrt(2.0 / (4 * 96)), 0.01);
  EXPECT_EQ(parameters.at("encoder.layer_0.self_attn.in_proj_bias").abs().max().item<double>(), 0);
  EXPECT_NEAR(parameters.at("decoder.layer_0.linear1.weight").std().item<double>(),
              std::sqrt(2.0 / (96 + kFeedForward)), 0.02);
}

}  // namespace
}  // namespace seq2seq
