#include "seq2seq/model/scoring_model.h"

#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/kernels/precision_choice.h"
#include "seq2seq/model/parameters.h"
#include "seq2seq/ops/compute.h"
#include "seq2seq/search/batch_shortlist.h"
#include "seq2seq/search/beam.h"
#include "tests/search/scorer_steps.h"
#include "tests/testing/script_file.h"
#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Ways to apply a model.
struct Way {
  std::string name;
  bool kernels;
  int threads;
};

void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

std::vector<Way> Ways() { return {{"plain", false, 1}, {"kernels", true, 1}, {"two", true, 2}}; }

class ModelScorerTest : public testing::TestWithParam<Way> {
 protected:
  ModelScorerTest() : guard_({.fused = GetParam().kernels}) {}

  void SetThreads() const { torch::set_num_threads(GetParam().threads); }

  std::unique_ptr<Scorer> Begin(const Model& model,
                                absl::Span<const SourceInput* const> sources) const {
    SetThreads();
    return MakeScoringModel(model, torch::kCPU, Precision::kFp32)->Begin(sources, {});
  }

  std::vector<std::vector<Hypothesis>> Search(const Model& model, const std::vector<Ids>& sources,
                                              const SearchOptions& options) const {
    std::vector<SearchTask> tasks;
    for (const Ids& source : sources) {
      tasks.emplace_back();
      tasks.back().max_length = MaxLength(static_cast<int64_t>(source.size()), options);
    }
    return BeamSearch(*Begin(model, Sources(sources)), tasks, options);
  }

 private:
  const ComputeGuard guard_;
};

INSTANTIATE_TEST_SUITE_P(All, ModelScorerTest, testing::ValuesIn(Ways()),
                         [](const auto& info) { return info.param.name; });

std::vector<Ids> SourcesOf(const std::vector<Pair>& pairs) {
  std::vector<Ids> sources;
  for (const Pair& pair : pairs) sources.push_back(pair.source);
  return sources;
}

// Models of every cell, in one and two layers, with and without what is optional.
std::vector<ModelOptions> ManyOptions() {
  std::vector<ModelOptions> all;
  for (const CellKind cell : {CellKind::kLstm, CellKind::kPeephole, CellKind::kGru,
                              CellKind::kRnnTanh, CellKind::kRnnRelu, CellKind::kCoupled,
                              CellKind::kLayerNormLstm, CellKind::kLayerNormGru}) {
    ModelOptions options = TinyOptions();
    options.encoder.cell = options.decoder.cell = cell;
    all.push_back(options);
    options.encoder.layers = options.decoder.layers = 2;
    options.decoder.attention = AttentionKind::kDot;
    options.decoder.input_feeding = false;
    options.decoder.tied_embeddings = true;
    all.push_back(options);
  }
  all.push_back(TinyOptions());
  all.back().decoder.attention = AttentionKind::kMlp;
  all.back().decoder.context_gate = true;
  all.push_back(TinyOptions());
  all.back().decoder.cell = CellKind::kGru;
  all.back().decoder.attention = AttentionKind::kMlp;
  all.back().decoder.conditional = true;
  all.push_back(TinyOptions());
  all.back().decoder.layers = 3;
  all.back().decoder.residual = true;
  for (const AttentionKind attention :
       {AttentionKind::kScaledDot, AttentionKind::kMlp, AttentionKind::kMultiHead,
        AttentionKind::kCoverage, AttentionKind::kLocation, AttentionKind::kNone}) {
    all.push_back(TinyOptions());
    all.back().decoder.attention = attention;
  }
  for (const BridgeKind bridge : {BridgeKind::kMean, BridgeKind::kCopy, BridgeKind::kZero}) {
    all.push_back(TinyOptions());
    all.back().bridge = bridge;
  }
  all.push_back(TinyOptions());
  all.back().bridge = BridgeKind::kLayers;
  all.back().decoder.hidden = OutputSize(all.back().encoder);
  for (const Directions directions : {Directions::kUnidirectional, Directions::kLowest}) {
    all.push_back(TinyOptions());
    all.back().encoder.directions = directions;
    all.back().encoder.layers = 3;
    all.back().encoder.residual = true;
  }
  all.push_back(TinyOptions());
  all.back().target_vocab = all.back().source_vocab;
  all.back().encoder.embedding = all.back().decoder.embedding;
  all.back().shared_embeddings = true;
  all.push_back(all.back());
  all.back().decoder.copy = true;
  all.push_back(TinyOptions());
  all.back().source = SourceKind::kNone;
  all.back().decoder.attention = AttentionKind::kNone;
  return all;
}

TEST_P(ModelScorerTest, StepsAgreeWithTheModelReadingTheWholeTarget) {
  for (const ModelOptions& options : ManyOptions()) {
    Model model = TinyModel(options, torch::kFloat32);
    const std::vector<Pair> pairs = RandomPairs(options, {{3, 4}, {6, 4}});
    const Batch batch = MakeBatch(pairs);
    torch::Tensor expected;
    {
      const ComputeGuard plain({.fused = false});
      expected = torch::log_softmax(model(batch, TeacherForcing()), -1).view({2, 5, -1});
    }
    const auto scorer = Begin(model, Sources(SourcesOf(pairs)));
    EXPECT_EQ(scorer->batch(), 2);
    for (int64_t t = 0; t < 5; ++t) {
      std::vector<Extension> rows;
      for (int64_t s = 0; s < 2; ++s)
        rows.push_back({s, s, batch.target_input[s][t].item<int32_t>()});
      EXPECT_LT(MaxDifference(LogProbs(*scorer, rows), expected.select(1, t)), 1e-5);
      for (size_t s = 0; s < 2; ++s) {
        const torch::Tensor attended = AttentionOf(*scorer, s);
        // A model without a source attends to one position of no content.
        EXPECT_EQ(attended.numel(), options.source == SourceKind::kNone ? 1 : s == 0 ? 4 : 7);
        EXPECT_NEAR(attended.sum().item<double>(), 1, 1e-5);
      }
    }
  }
}

// Sources of features, as images have them, with every bridge that they can have.
TEST_P(ModelScorerTest, ImagesStepAsTheModelReadsWholeCaptions) {
  for (const BridgeKind bridge :
       {BridgeKind::kDense, BridgeKind::kMean, BridgeKind::kCopy, BridgeKind::kZero}) {
    ModelOptions options = TinyOptions();
    options.source = SourceKind::kImage;
    options.image.network.kind = ImageNetworkKind::kFeatures;
    options.image.channels = 3;
    options.image.hidden = options.decoder.hidden;
    options.image.dropout = 0;
    options.bridge = bridge;
    Model model = TinyModel(options, torch::kFloat32);
    Batch batch = MakeBatch(RandomPairs(options, {{1, 4}, {1, 4}}));
    batch.values = torch::rand({2, 6, 3});
    torch::Tensor expected;
    {
      const ComputeGuard plain({.fused = false});
      expected = torch::log_softmax(model(batch, TeacherForcing()), -1).view({2, 5, -1});
    }
    std::vector<SourceInput> images(2);
    for (size_t i = 0; i < 2; ++i)
      images[i].values = ToArray(batch.values[static_cast<int64_t>(i)]);
    const auto scorer = Begin(model, {&images[0], &images[1]});
    for (int64_t t = 0; t < 5; ++t) {
      std::vector<Extension> rows;
      for (int64_t s = 0; s < 2; ++s)
        rows.push_back({s, s, batch.target_input[s][t].item<int32_t>()});
      EXPECT_LT(MaxDifference(LogProbs(*scorer, rows), expected.select(1, t)), 1e-5);
      EXPECT_EQ(AttentionOf(*scorer, 1).numel(), 6);
    }
  }
}

TEST_P(ModelScorerTest, SomeTokensAreScoredAsAmongAll) {
  const Model model = TinyModel(TinyOptions(), torch::kFloat32);
  const Sources batch(RandomSources(3));
  const std::vector<int32_t> tokens = {kEosId, 5, 6, 8};
  const BatchShortlist shortlist({3, tokens}, TinyOptions().target_vocab);
  SetThreads();
  const auto some = MakeScoringModel(model, torch::kCPU, Precision::kFp32)->Begin(batch, shortlist);
  const auto all = Begin(model, batch);
  for (const std::vector<Extension>& rows :
       {FirstRows(3), std::vector<Extension>{{0, 0, 4}, {1, 1, 5}, {1, 1, 6}}}) {
    const torch::Tensor expected = LogProbs(*all, rows);
    const StepScores found = some->Step(rows);
    ASSERT_EQ(found.scores.columns, 4);
    for (size_t r = 0; r < rows.size(); ++r) {
      const ScoreRow row = found.row(r);
      EXPECT_EQ(row.Find(7), nullptr);
      double sum = 0;
      for (const int32_t token : tokens)
        sum += std::exp(expected[static_cast<int64_t>(r)][token].item<double>());
      for (const int32_t token : tokens) {
        EXPECT_NEAR(*row.Find(token) - row.normalizer,
                    expected[static_cast<int64_t>(r)][token].item<double>() - std::log(sum), 1e-5);
      }
    }
  }
}

TEST_P(ModelScorerTest, AnyRowsOfAnySentencesGoOnAsBefore) {
  for (const ModelOptions& options : ManyOptions()) {
    if (options.source == SourceKind::kNone) continue;
    const Model model = TinyModel(options, torch::kFloat32);
    const Sources batch(RandomSources(3));
    const auto plain = Begin(model, batch);
    const auto picked = Begin(model, batch);
    LogProbs(*plain, FirstRows(3));
    LogProbs(*picked, FirstRows(3));
    const torch::Tensor expected = LogProbs(*plain, {{0, 0, 4}, {1, 1, 5}, {2, 2, 6}});
    // One row of the second sentence, three of the last, two of them alike; the first one is done.
    const torch::Tensor found = LogProbs(*picked, {{1, 1, 5}, {2, 2, 6}, {2, 2, 4}, {2, 2, 6}});
    for (const auto& [row, same] : {std::pair<int64_t, int64_t>{0, 1}, {1, 2}, {3, 2}}) {
      EXPECT_LT(MaxDifference(found[row], expected[same]), 1e-5);
    }
    EXPECT_LT(MaxDifference(AttentionOf(*picked, 3), AttentionOf(*plain, 2)), 1e-5);
    // In reverse order, and from rows that are not in the order of their sentences.
    const torch::Tensor more = LogProbs(*plain, {{1, 1, 7}, {2, 2, 8}});
    const torch::Tensor turned = LogProbs(*picked, {{0, 1, 7}, {3, 2, 8}, {1, 2, 8}});
    EXPECT_LT(MaxDifference(turned[0], more[0]), 1e-5);
    EXPECT_LT(MaxDifference(turned[1], more[1]), 1e-5);
    EXPECT_LT(MaxDifference(turned[2], more[1]), 1e-5);
  }
}

TEST_P(ModelScorerTest, LanguageModelDoesNotDependOnTheSource) {
  ModelOptions options = TinyOptions();
  options.source = SourceKind::kNone;
  options.decoder.attention = AttentionKind::kNone;
  const auto scorer = Begin(TinyModel(options, torch::kFloat32), Sources(RandomSources(3)));
  const torch::Tensor found = LogProbs(*scorer, FirstRows(3));
  EXPECT_LT(MaxDifference(found[0], found[2]), 1e-6);
}

#if SEQ2SEQ_KERNELS
TEST(MakeScoringModel, RunsScriptsAsModulesInFp32) {
  const TemporaryFolder folder;
  ModelOptions options = TinyOptions();
  options.source = SourceKind::kImage;
  options.image.network.kind = ImageNetworkKind::kTorchscript;
  options.image.network.path = WriteScript(folder);
  options.image.network.allow_scripts = true;
  options.image.channels = 4;
  const Model model = TinyModel(options, torch::kFloat32);
  EXPECT_EQ(MakeScoringModel(model, torch::kCPU, Precision::kFp32)->note(), "");
  const auto scoring = MakeScoringModel(model, torch::kCPU, Precision::kInt8);
  EXPECT_THAT(scoring->note(),
              AllOf(HasSubstr("int8"), HasSubstr("model.image.network.kind=torchscript")));
  SourceInput image;
  image.values = ToArray(torch::rand({3, 16, 24}));
  const auto scorer = scoring->Begin({&image}, {});
  scorer->Step(FirstRows(1));
  EXPECT_EQ(AttentionOf(*scorer, 0).numel(), 6);
}

TEST(MakeScoringModel, ReleasesWeightsThatArePacked) {
  Model model = TinyModel(TinyOptions(), torch::kFloat32);
  const auto watch = [&](const char* name) {
    return model->named_parameters()[name].storage().getWeakStorageImpl();
  };
  const auto embedding = watch("encoder.embedding.weight");
  const auto attentional = watch("decoder.readout.weight");
  const auto scoring = MakeScoringModel(std::move(model), torch::kCPU, Precision::kFp32);
  EXPECT_FALSE(embedding.expired());
  EXPECT_TRUE(attentional.expired());
}
#endif

class LowerPrecision : public testing::TestWithParam<Precision> {};

// Two time steps of every model.
TEST_P(LowerPrecision, StaysNear) {
  const Precision precision = GetParam();
  if (!HasPrecision(precision)) GTEST_SKIP() << "no bf16 on this processor";
  for (const ModelOptions& options : ManyOptions()) {
    const Model model = TinyModel(options, torch::kFloat32);
    const Sources batch(RandomSources(20));
    const auto two_steps = [&](Precision precision) {
      const auto scorer = MakeScoringModel(model, torch::kCPU, precision)->Begin(batch, {});
      const torch::Tensor first = LogProbs(*scorer, FirstRows(20));
      std::vector<Extension> rows;
      for (int64_t s = 0; s < 20; ++s) rows.push_back({s, s, 4});
      return torch::cat({first, LogProbs(*scorer, rows)});
    };
    const torch::Tensor exact = two_steps(Precision::kFp32);
    const double difference = MaxDifference(two_steps(precision), exact);
    EXPECT_LT(difference, 0.05 * exact.abs().max().item<double>());
    EXPECT_GT(difference, 1e-5);  // Or it was not used.
  }
}

INSTANTIATE_TEST_SUITE_P(All, LowerPrecision, testing::Values(Precision::kBf16, Precision::kInt8));

}  // namespace
}  // namespace seq2seq
