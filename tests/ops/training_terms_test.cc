// Weighted targets, several targets of a source, guided alignment, copying and sampled softmax: the
// kernels agree with the plain formulas, in values and in all gradients.
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/model/copying.h"
#include "seq2seq/model/model.h"
#include "seq2seq/ops/compute.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

// Recurrent models and Transformers, with aligned_head and without.
std::vector<std::pair<std::string, ModelOptions>> Models() {
  std::vector<std::pair<std::string, ModelOptions>> models = {
      {"recurrent", TinyOptions()},
      {"mlp", TinyOptions()},
      {"coverage", TinyOptions()},
      {"conditional, bridge layers", TinyOptions()}};
  models[1].second.decoder.attention = AttentionKind::kMlp;
  models[2].second.decoder.attention = AttentionKind::kCoverage;
  models[3].second.decoder.conditional = true;
  models[3].second.bridge = BridgeKind::kLayers;
  for (auto& [name, options] : TransformerVariants()) {
    if (options.source == SourceKind::kNone) continue;
    models.emplace_back(name, options);
    options.decoder.aligned_head = true;
    models.emplace_back(name + ", aligned head", options);
  }
  return models;
}

// Models of one vocabulary, which copy.
std::vector<std::pair<std::string, ModelOptions>> CopyingModels() {
  std::vector<std::pair<std::string, ModelOptions>> models = Models();
  for (auto& [name, options] : models) {
    options.source_vocab = options.target_vocab;
    options.decoder.copy = true;
    EXPECT_TRUE(Validate(options).ok()) << name << ": " << Validate(options);
  }
  return models;
}

// The same as GradientsOf, none of them sparse.
TensorMap DenseGradients(Model model, const Loss& loss) {
  TensorMap gradients = GradientsOf(*model, loss.objective);
  for (auto& [name, gradient] : gradients) gradient = gradient.to_dense();
  return gradients;
}

void ExpectKernelsAgree(const std::string& name, const ModelOptions& options, const Batch& batch,
                        const LossTerms& terms) {
  Model model = TinyModel(options, torch::kFloat32);
  const auto pass = [&](bool fused) {
    const ComputeGuard guard({fused, Precision::kFp32});
    torch::manual_seed(3);
    const Loss loss = model->ComputeLoss(batch, TeacherForcing(), terms);
    TensorMap gradients = DenseGradients(model, loss);
    gradients.emplace("objective", loss.objective.detach().to(torch::kFloat32));
    return gradients;
  };
  const TensorMap fused = pass(true), plain = pass(false);
  for (const auto& [parameter, gradient] : plain) {
    const double size = gradient.abs().max().item<double>();
    EXPECT_LT(MaxDifference(fused.at(parameter), gradient), 2e-4 * size + 1e-6)
        << name << ", " << parameter;
  }
}

TEST(WeightedTargets, KernelsAgreeWithThePlainFormula) {
  for (const auto& [name, options] : Models()) {
    Batch batch = MakeBatch(RandomPairs(options, {{3, 4}, {1, 2}, {5, 1}}));
    batch.target_weights = torch::tensor({0.5F, -2.0F, 0.0F});
    // Label smoothing does not apply.
    ExpectKernelsAgree(name, options, batch, {.smoothing = 0.1, .scale = 0.5});
  }
}

TEST(WeightedTargets, AreTheWeightedSumOfTheSentences) {
  const ModelOptions options = TinyOptions();
  Model model = TinyModel(options, torch::kFloat32);
  const std::vector<Pair> pairs = RandomPairs(options, {{3, 4}, {1, 2}, {5, 1}});
  Batch batch = MakeBatch(pairs);
  const std::vector<float> weights = {0.5F, -2.0F, 1.5F};
  batch.target_weights = torch::tensor(weights);
  double sum = 0;
  for (size_t i = 0; i < pairs.size(); ++i) {
    sum += static_cast<double>(weights[i]) *
           model->ComputeLoss(MakeBatch({pairs[i]}), TeacherForcing()).objective.item<double>();
  }
  EXPECT_NEAR(model->ComputeLoss(batch, TeacherForcing()).objective.item<double>(), sum, 1e-4);
}

// A source that is encoded once for several targets gives what it gives once for each.
TEST(TargetsPerSource, AgreeWithRepeatedSources) {
  std::vector<std::pair<std::string, ModelOptions>> models = Models();
  for (const auto& copying : CopyingModels()) models.push_back(copying);
  for (const auto& [name, options] : models) {
    std::vector<Pair> pairs = RandomPairs(options, {{3, 4}, {3, 2}, {5, 1}, {5, 3}});
    pairs[1].source = pairs[0].source;
    pairs[3].source = pairs[2].source;
    const Batch repeated = MakeBatch(pairs);
    Batch shared = repeated;
    shared.source = repeated.source.index_select(0, torch::tensor({0, 2}));
    shared.source_lengths = repeated.source_lengths.index_select(0, torch::tensor({0, 2}));
    shared.targets_per_source = 2;
    Model model = TinyModel(options, torch::kFloat32);
    const auto gradients = [&](const Batch& batch) {
      return DenseGradients(model, model->ComputeLoss(batch, TeacherForcing()));
    };
    const TensorMap expected = gradients(repeated), found = gradients(shared);
    for (const auto& [parameter, gradient] : expected) {
      EXPECT_LT(MaxDifference(found.at(parameter), gradient),
                2e-4 * gradient.abs().max().item<double>() + 1e-6)
          << name << ", " << parameter;
    }
  }
}

TEST(GuidedAlignment, KernelsAgreeWithThePlainFormula) {
  for (const auto& [name, options] : Models()) {
    Batch batch = MakeBatch(RandomPairs(options, {{3, 4}, {1, 2}, {5, 1}}));
    torch::manual_seed(2);
    batch.alignment = torch::zeros({3, 5, 6});
    const int64_t lengths[][2] = {{4, 5}, {2, 3}, {6, 2}};  // With the end of sentence.
    for (int64_t i = 0; i < 3; ++i) {
      const auto& [source, target] = lengths[i];
      batch.alignment[i]
          .narrow(0, 0, target)
          .narrow(1, 0, source)
          .copy_(torch::softmax(torch::randn({target, source}), 1));
    }
    batch.alignment[0][1].zero_();  // A token without a link.
    ExpectKernelsAgree(name, options, batch, {.smoothing = 0.1, .guided_alignment = 0.7});
  }
}

TEST(GuidedAlignment, AddsTheCrossEntropyOfTheAttentionWeights) {
  for (const auto& [name, options] : Models()) {
    Model model = TinyModel(options, torch::kFloat64);
    Batch batch = MakeBatch(RandomPairs(options, {{3, 2}}));
    batch.alignment = torch::zeros({1, 3, 4}, torch::kFloat64);
    batch.alignment[0][0][2] = batch.alignment[0][1][0] = batch.alignment[0][2][3] = 1;
    auto state = model->decoder()->Start(model->Encode(batch));
    double sum = 0;
    const int64_t aligned[] = {2, 0, 3};
    for (int64_t t = 0; t < 3; ++t) {
      const DecoderStep step = model->decoder()->Step(batch.target_input.select(1, t), *state);
      sum -= std::log(step.attention[0][aligned[t]].item<double>());
      state = step.state;
    }
    const auto objective = [&](double weight) {
      return model->ComputeLoss(batch, TeacherForcing(), {.guided_alignment = weight})
          .objective.item<double>();
    };
    EXPECT_NEAR(objective(0.5) - objective(0), 0.5 * sum, 1e-6) << name;
  }
}

TEST(Copying, KernelsAgreeWithThePlainFormula) {
  for (const auto& [name, options] : CopyingModels()) {
    Batch batch = MakeBatch(RandomPairs(options, {{3, 4}, {7, 2}, {5, 1}}));
    ExpectKernelsAgree(name, options, batch, {.smoothing = 0.1, .scale = 0.5});
    batch.target_weights = torch::tensor({0.5F, -2.0F, 0.0F});
    ExpectKernelsAgree(name + ", weighted", options, batch, {});
  }
}

// forward makes all probabilities, and the loss only that of the reference.
TEST(Copying, LossIsThatOfTheProbabilitiesWithCopies) {
  for (const auto& [name, options] : CopyingModels()) {
    Batch batch = MakeBatch(RandomPairs(options, {{3, 4}, {7, 2}}));
    Model model = TinyModel(options, torch::kFloat64);
    const torch::Tensor log_probabilities = torch::log_softmax(model(batch, TeacherForcing()), 1);
    const double expected =
        torch::nll_loss(log_probabilities, SelectTokens(batch.target_output, batch), {},
                        torch::Reduction::Sum)
            .item<double>();
    const Loss loss = model->ComputeLoss(batch, TeacherForcing());
    EXPECT_NEAR(loss.objective.item<double>(), expected, 1e-6) << name;
    EXPECT_NEAR(loss.nll.item<double>(), expected, 1e-6) << name;
  }
}

// By hand: one position of the source holds 4, two hold 5, and nothing else can be copied.
TEST(Copying, AddsTheAttentionOfEachPositionToTheProbability) {
  const torch::Tensor logits = torch::randn({1, 7}, torch::kFloat64);
  const torch::Tensor attention = torch::tensor({{0.2, 0.5, 0.3}}, torch::kFloat64);
  const torch::Tensor found =
      torch::softmax(AddCopies(logits, torch::tensor({std::log(3.0)}, torch::kFloat64), attention,
                               torch::tensor({{5, 4, 5}})),
                     1);
  torch::Tensor expected = torch::softmax(logits, 1) / 4;
  expected[0][4] += 0.75 * 0.5;
  expected[0][5] += 0.75 * (0.2 + 0.3);
  EXPECT_LT(MaxDifference(found, expected), 1e-12);
}

TEST(Copying, OfASampledVocabularyAgreesWithThePlainFormula) {
  ModelOptions options = CopyingModels()[0].second;
  options.source_vocab = options.target_vocab = 40;
  Batch batch = MakeBatch(RandomPairs(options, {{3, 4}, {1, 2}, {5, 1}}));
  batch.source.select(1, 0).copy_(batch.target_output.select(1, 0));  // Something to copy.
  Model model = TinyModel(options, torch::kFloat32);
  model->train();  // Without dropout.
  const auto pass = [&](bool fused) {
    const ComputeGuard guard({fused, Precision::kFp32});
    torch::manual_seed(3);
    return DenseGradients(model,
                          model->ComputeLoss(batch, TeacherForcing(), {.sampled_softmax = 8}));
  };
  const TensorMap fused = pass(true), plain = pass(false);
  for (const auto& [parameter, gradient] : plain)
    EXPECT_LT(MaxDifference(fused.at(parameter), gradient), 1e-4) << parameter;
}

TEST(Copying, NeitherTeachesNorIsTaught) {
  const ModelOptions options = CopyingModels()[0].second;
  Model model = TinyModel(options, torch::kFloat32);
  const Batch batch = MakeBatch(RandomPairs(options, {{3, 4}}));
  EXPECT_THROW(model->Teach(batch), c10::Error);
  ModelOptions other = options;
  other.decoder.copy = false;
  LossTerms terms;
  terms.distillation.teachers.push_back(TinyModel(other, torch::kFloat32)->Teach(batch));
  EXPECT_THROW(model->ComputeLoss(batch, TeacherForcing(), terms), c10::Error);
}

TEST(SampledSoftmax, KernelsAgreeWithThePlainFormula) {
  ModelOptions options = TinyOptions();
  options.target_vocab = 40;
  const Batch batch = MakeBatch(RandomPairs(options, {{3, 4}, {1, 2}, {5, 1}}));
  Model model = TinyModel(options, torch::kFloat32);
  model->train();  // Without dropout.
  const auto pass = [&](bool fused) {
    const ComputeGuard guard({fused, Precision::kFp32});
    torch::manual_seed(3);
    return DenseGradients(model, model->ComputeLoss(batch, TeacherForcing(),
                                                    {.smoothing = 0.1, .sampled_softmax = 8}));
  };
  const TensorMap fused = pass(true), plain = pass(false);
  for (const auto& [parameter, gradient] : plain) {
    EXPECT_LT(MaxDifference(fused.at(parameter), gradient), 1e-4) << parameter;
  }
}

}  // namespace
}  // namespace seq2seq
