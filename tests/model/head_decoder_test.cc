#include "seq2seq/model/head_decoder.h"

#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/data/noise.h"
#include "seq2seq/data/split_batch.h"
#include "seq2seq/model/loss.h"
#include "seq2seq/model/model.h"
#include "tests/testing/learn.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

class HeadDecoderTest : public ::testing::Test {
 protected:
  HeadDecoderTest() {
    options_.source_vocab = options_.target_vocab = tokenizer_.size();
    options_.decoder.kind = DecoderKind::kHead;
    options_.decoder.hidden = options_.encoder.embedding;
    options_.decoder.tied_embeddings = options_.shared_embeddings = true;
    EXPECT_TRUE(Validate(options_).ok()) << Validate(options_);
  }

  // Masked lines.
  Batch MakeMasked() const {
    const Noise noise(Objective::kMasked, {}, tokenizer_);
    std::vector<Ids> texts;
    for (const char* line : {"der Hund rennt im Garten.", "ein", "die Katze schläft"})
      texts.push_back(tokenizer_.Encode(line));
    std::vector<Example> examples;
    for (const Ids& text : texts) examples.push_back({{}, text});
    return Collate(examples, noise, {1, 2, 3});
  }

  const Tokenizer tokenizer_ = *Learn(SampleText());
  ModelOptions options_ = TinyOptions();
};

TEST_F(HeadDecoderTest, PredictsTheSubwordsAtThePositionsAlone) {
  Model model = TinyModel(options_);
  const Batch batch = MakeMasked();
  const TensorMap weights = Parameters(*model);
  const torch::Tensor encoded = model->Encode(batch).values;
  std::vector<torch::Tensor> rows;
  for (int64_t row = 0; row < batch.size(); ++row) {
    for (int64_t i = 0; i < batch.target_lengths[row].item<int64_t>(); ++i)
      rows.push_back(encoded[row][batch.target_input[row][i].item<int64_t>()]);
  }
  const torch::Tensor hidden = torch::gelu(torch::linear(
      torch::stack(rows), weights.at("decoder.dense.weight"), weights.at("decoder.dense.bias")));
  const torch::Tensor output =
      torch::layer_norm(hidden, {options_.decoder.hidden}, weights.at("decoder.norm.weight"),
                        weights.at("decoder.norm.bias"));
  const torch::Tensor logits = torch::linear(output, weights.at("decoder.embedding.weight"),
                                             weights.at("decoder.output_bias"));
  EXPECT_LT(MaxDifference(model(batch, TeacherForcing()), logits), 1e-11);
  EXPECT_EQ(logits.size(0), batch.target_tokens);
}

TEST_F(HeadDecoderTest, LossOfTheKernelsAgreesAndAddsUpOverParts) {
  Model model = TinyModel(options_, torch::kFloat32);
  const Batch batch = MakeMasked();
  const double expected = CrossEntropy(model(batch, TeacherForcing()), batch, /*smoothing=*/0.1)
                              .objective.item<double>();
  double sum = 0;
  int64_t tokens = 0;
  for (const Batch& part : SplitBatch(
           batch, [](const BatchShape& shape) { return shape.rows; }, 1)) {
    sum += model->ComputeLoss(part, TeacherForcing(), {.smoothing = 0.1}).objective.item<double>();
    tokens += part.target_tokens;
  }
  EXPECT_NEAR(sum, expected, 1e-4 * expected);
  EXPECT_EQ(tokens, batch.target_tokens);
}

TEST_F(HeadDecoderTest, EveryParameterLearns) {
  Model model = TinyModel(options_);
  const Loss loss = model->ComputeLoss(MakeMasked(), TeacherForcing());
  for (const auto& [name, gradient] : GradientsOf(*model, loss.objective))
    EXPECT_GT(gradient.abs().max().item<double>(), 1e-6) << name;
}

TEST_F(HeadDecoderTest, HasNoTimeSteps) {
  Model model = TinyModel(options_);
  const auto state = model->decoder()->Start(model->Encode(MakeMasked()));
  EXPECT_THROW(model->decoder()->Step(torch::zeros({3}, torch::kInt64), *state), c10::Error);
  EXPECT_THROW(state->Select({}, torch::arange(3)), c10::Error);
}

}  // namespace
}  // namespace seq2seq
