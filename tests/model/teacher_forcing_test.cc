#include "seq2seq/model/teacher_forcing.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <torch/torch.h>
#include <torch/version.h>

#include "seq2seq/model/loss.h"
#include "seq2seq/model/model.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

constexpr SamplingScope kScopes[] = {SamplingScope::kToken, SamplingScope::kSentence,
                                     SamplingScope::kBatch};

torch::Tensor GeneratorState() { return at::detail::getDefaultCPUGenerator().get_state(); }

// The coins of a batch, after seeding.
torch::Tensor Coins(const TeacherForcing& forcing, int64_t batch, int64_t target) {
  torch::manual_seed(5);
  return forcing.Draw(batch, target, torch::kCPU);
}

// What the decoder is fed if it is fed predicted tokens only: the beginning of sentence, then its
// best tokens. [batch, target]
torch::Tensor GreedyInput(Model& model, const Batch& batch) {
  Decoder& decoder = model->decoder();
  auto state = decoder->Start(model->Encode(batch));
  std::vector<torch::Tensor> fed = {torch::full({batch.size()}, kBosId, torch::kInt64)};
  while (static_cast<int64_t>(fed.size()) < batch.target_input.size(1)) {
    const DecoderStep step = decoder->Step(fed.back(), *state);
    fed.push_back(decoder->Logits(step.output).argmax(-1));
    state = step.state;
  }
  return torch::stack(fed, 1);
}

TEST(TeacherForcing, RateOneIsPlainBitForBitAndDrawsNothing) {
  Model model = TinyModel(TinyOptions());
  const Batch batch = MakeBatch(RandomPairs(TinyOptions(), {{3, 5}, {4, 2}}));
  const torch::Tensor plain = model(batch, TeacherForcing());
  for (const SamplingScope scope : kScopes) {
    for (const PredictedToken own : {PredictedToken::kArgmax, PredictedToken::kSample}) {
      const torch::Tensor before = GeneratorState();
      EXPECT_TRUE(torch::equal(model(batch, TeacherForcing{1.0, scope, own}), plain));
      EXPECT_TRUE(torch::equal(GeneratorState(), before));
    }
  }
}

TEST(TeacherForcing, CoinsThatAllShowTheTruthAgreeWithPlain) {
  Model model = TinyModel(TinyOptions());
  const Batch batch = MakeBatch(RandomPairs(TinyOptions(), {{3, 5}, {4, 2}}));
  const TeacherForcing almost = {std::nextafter(1.0, 0.0)};
  ASSERT_TRUE(Coins(almost, 2, 6).all().item<bool>());
  torch::manual_seed(5);
  EXPECT_LT(MaxDifference(model(batch, almost), model(batch, TeacherForcing())), 1e-12);
}

TEST(TeacherForcing, RateZeroFeedsTheModelsOwnBest) {
  for (const SamplingScope scope : kScopes) {
    Model model = TinyModel(TinyOptions());
    const Batch batch = MakeBatch(RandomPairs(TinyOptions(), {{3, 7}, {4, 5}}));
    Batch own = batch;
    own.target_input = GreedyInput(model, batch);
    ASSERT_FALSE(torch::equal(own.target_input, batch.target_input));
    EXPECT_LT(MaxDifference(model(batch, TeacherForcing{0.0, scope}), model(own, TeacherForcing())),
              1e-12);
  }
}

TEST(TeacherForcing, NoGradientFlowsThroughTheTokenThatIsFed) {
  // Then it is that of the same tokens as truth.
  Model model = TinyModel(TinyOptions());
  const Batch batch = MakeBatch(RandomPairs(TinyOptions(), {{3, 7}, {4, 5}}));
  Batch own = batch;
  own.target_input = GreedyInput(model, batch);
  const auto gradients = [&](const Batch& fed, const TeacherForcing& forcing) {
    return GradientsOf(*model, CrossEntropy(model(fed, forcing), batch, 0.1).objective);
  };
  const TensorMap expected = gradients(own, TeacherForcing());
  for (const auto& [name, gradient] : gradients(batch, {0.0})) {
    EXPECT_LT(MaxDifference(gradient, expected.at(name)), 1e-11) << name;
  }
}

TEST(TeacherForcing, CoinsMixReferenceAndPredictedTokensAsDrawn) {
  Model model = TinyModel(TinyOptions());
  const Batch batch = MakeBatch(RandomPairs(TinyOptions(), {{3, 9}, {4, 9}}));
  const TeacherForcing forcing = {0.5};
  const torch::Tensor coins = Coins(forcing, 2, 10);
  Decoder& decoder = model->decoder();
  auto state = decoder->Start(model->Encode(batch));
  std::vector<torch::Tensor> outputs;
  for (int64_t t = 0; t < 10; ++t) {
    torch::Tensor fed = batch.target_input.select(1, t);
    if (t > 0)
      fed = torch::where(coins.select(1, t), fed, decoder->Logits(outputs.back()).argmax(-1));
    const DecoderStep step = decoder->Step(fed, *state);
    outputs.push_back(step.output);
    state = step.state;
  }
  torch::manual_seed(5);
  const torch::Tensor logits = model(batch, forcing);
  EXPECT_LT(MaxDifference(logits, decoder->Logits(torch::stack(outputs, 1)).flatten(0, 1)), 1e-12);
  EXPECT_GT(MaxDifference(logits, model(batch, TeacherForcing())), 1e-3);
  EXPECT_GT(MaxDifference(logits, model(batch, TeacherForcing{0.0})), 1e-3);
}

// The largest tensor that this thread makes while it lives, in bytes.
class LargestTensor {
 public:
  int64_t bytes() const { return report_->bytes; }

 private:
#if TORCH_VERSION_MAJOR >= 2
  using Total = size_t;
#else
  using Total = int64_t;
#endif
  struct Report : c10::MemoryReportingInfoBase {
    void reportMemoryUsage(void*, int64_t size, Total, Total, c10::Device) override {
      bytes = std::max(bytes, size);
    }
    bool memoryProfilingEnabled() const override { return true; }

    int64_t bytes = 0;
  };

  const std::shared_ptr<Report> report_ = std::make_shared<Report>();
  const c10::DebugInfoGuard guard_{c10::DebugInfoKind::PROFILER_STATE, report_};
};

TEST(TeacherForcing, TwoPassesHoldTheLogitsOfSomeRowsAtATime) {
  ModelOptions options = TinyOptions();
  options.target_vocab = 20000;
  Model model = TinyModel(options, torch::kFloat32);
  const Batch batch =
      MakeBatch(RandomPairs(options, std::vector<std::pair<size_t, size_t>>(16, {3, 40})));
  const auto start = model->decoder()->Start(model->Encode(batch));
  for (const PredictedToken own : {PredictedToken::kArgmax, PredictedToken::kSample}) {
    const LargestTensor largest;
    const TeacherForcing forcing = {.rate = 0, .predicted = own, .form = SamplingForm::kTwoPass};
    model->decoder()(batch.target_input, batch.target_lengths, *start, forcing, false);
    EXPECT_LT(largest.bytes(), 20 << 20);  // Those of all are 51 MB.
  }
}

TEST(SamplingScope, TokenMixesWithinASentence) {
  const torch::Tensor coins = Coins({0.5, SamplingScope::kToken}, 20, 30);
  EXPECT_TRUE(coins.any(1).all().item<bool>());
  EXPECT_FALSE(coins.all(1).any().item<bool>());
}

TEST(SamplingScope, SentenceIsTheSameWithinARowAndDiffersAmongRows) {
  const torch::Tensor coins = Coins({0.5, SamplingScope::kSentence}, 20, 30);
  ASSERT_EQ(coins.sizes(), (std::vector<int64_t>{20, 30}));
  EXPECT_TRUE(torch::equal(coins.any(1), coins.all(1)));
  EXPECT_TRUE(coins.any().item<bool>());
  EXPECT_FALSE(coins.all().item<bool>());
}

TEST(SamplingScope, BatchIsAllOrNone) {
  bool all = false, none = false;
  torch::manual_seed(5);
  for (int i = 0; i < 20; ++i) {
    const torch::Tensor coins = TeacherForcing{0.5, SamplingScope::kBatch}.Draw(4, 5, torch::kCPU);
    ASSERT_EQ(coins.sizes(), (std::vector<int64_t>{4, 5}));
    EXPECT_EQ(coins.any().item<bool>(), coins.all().item<bool>());
    (coins.all().item<bool>() ? all : none) = true;
  }
  EXPECT_TRUE(all && none);
}

TEST(SamplingScope, ShareOfTruthFollowsTheRate) {
  torch::manual_seed(5);
  for (const SamplingScope scope : kScopes) {
    for (const double rate : {0.0, 0.2, 0.7}) {
      constexpr int kDraws = 2000;
      double truth = 0;
      for (int i = 0; i < kDraws; ++i) {
        truth += TeacherForcing{rate, scope}
                     .Draw(4, 3, torch::kCPU)
                     .to(torch::kFloat64)
                     .mean()
                     .item<double>();
      }
      EXPECT_NEAR(truth / kDraws, rate, rate == 0 ? 0 : 0.04);
    }
  }
}

TEST(PredictedToken, ArgmaxIsTheBestAndCarriesNoGradient) {
  const torch::Tensor logits = torch::randn({5, 9}).requires_grad_();
  const torch::Tensor chosen = TeacherForcing().Choose(logits);
  EXPECT_TRUE(torch::equal(chosen, logits.argmax(1)));
  EXPECT_FALSE(chosen.requires_grad());
}

TEST(PredictedToken, SampleFollowsTheDistribution) {
  torch::manual_seed(5);
  const torch::Tensor probabilities = torch::tensor({0.1, 0.0, 0.6, 0.3});
  constexpr int64_t kRows = 20000;
  TeacherForcing forcing;
  forcing.predicted = PredictedToken::kSample;
  const torch::Tensor chosen =
      forcing.Choose(probabilities.log().expand({kRows, 4}).requires_grad_());
  ASSERT_EQ(chosen.sizes(), std::vector<int64_t>{kRows});
  EXPECT_FALSE(chosen.requires_grad());
  const torch::Tensor share = torch::bincount(chosen, {}, 4) / static_cast<double>(kRows);
  EXPECT_LT(MaxDifference(share, probabilities), 0.02);
  EXPECT_EQ(share[1].item<double>(), 0);
}

}  // namespace
}  // namespace seq2seq
