#include "seq2seq/train/sequence_objective.h"

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/train/training_run.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/tiny_model.h"
#include "tests/train/copy_config.h"

namespace seq2seq {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Minus the mean reward over distinct samples, differentiated numerically.
TEST(RiskWeights, AreTheGradientOfTheRisk) {
  const std::vector<double> rewards = {0.2, 0.9, 0.2, 0.5};
  std::vector<ModelOutput> samples = {{{4}, -1.0}, {{5, 6}, -2.5}, {{4}, -1.0}, {{7}, -0.5}};
  constexpr double kSharpness = 0.7;
  const auto risk = [&] {
    double sum = 0, mean = 0;
    for (const size_t i : {0, 1, 3}) {
      const double share = std::exp(kSharpness * samples[i].log_probability);
      sum += share;
      mean += share * rewards[i];
    }
    return -mean / sum;
  };
  const std::vector<double> weights = RiskWeights(samples, rewards, kSharpness);
  ASSERT_EQ(weights.size(), 4u);
  EXPECT_EQ(weights[2], 0);  // The first one again.
  for (const size_t i : {0, 1, 3}) {
    constexpr double kStep = 1e-6;
    double risks[2];
    for (const int side : {0, 1}) {
      samples[i].log_probability += side == 0 ? -kStep : 2 * kStep;
      risks[side] = risk();
    }
    samples[i].log_probability -= kStep;
    // The weight is on the negative log-likelihood.
    EXPECT_NEAR(-(risks[1] - risks[0]) / (2 * kStep), kSharpness * weights[i], 1e-8) << i;
  }
}

TEST(SelfCriticalWeights, AreWhatRewardsExceedTheBaselineBy) {
  EXPECT_THAT(SelfCriticalWeights({{0.2, 0.8}}, RewardBaseline::kGreedy, 0.4),
              ElementsAre(DoubleNear(-0.1, 1e-12), DoubleNear(0.2, 1e-12)));
  EXPECT_THAT(SelfCriticalWeights({{0.2, 0.8, 0.5}}, RewardBaseline::kMean, 0),
              ElementsAre(DoubleNear(-0.15, 1e-12), DoubleNear(0.15, 1e-12), DoubleNear(0, 1e-12)));
}

// A run over sentences to be copied, whose outputs are not those of the model.
class SequenceObjectiveTest : public ::testing::Test {
 protected:
  SequenceObjectiveTest() {
    torch::set_num_threads(1);
    config_ = CopyConfig(folder_, "run");
    config_.train.max_updates = 40;
    config_.train.report_every = 20;
    config_.train.schedule.warmup = 10;
    config_.run.init_from = folder_ / "base";
    TrainingConfig base = config_;
    base.train.run = config_.run.init_from;
    base.run.init_from.clear();
    base.train.max_updates = 1;
    const auto run = TrainingRun::Create(base, {});
    EXPECT_TRUE(run.ok()) << run.status();
    if (run.ok()) {
      EXPECT_TRUE((*run)->Run().ok());
    }
    // Half of the outputs are the reference, half its first word alone.
    hooks_.sample_outputs = [](Model, const Batch& batch, const SamplingRequest& request)
        -> absl::StatusOr<std::vector<std::vector<ModelOutput>>> {
      std::vector<std::vector<ModelOutput>> outputs;
      for (int64_t row = 0; row < batch.size(); ++row) {
        const auto* ids =
            batch.target_output.data_ptr<int64_t>() + row * batch.target_output.size(1);
        const auto length = batch.target_lengths[row].item<int64_t>() - 1;
        const Ids whole(ids, ids + length), first(ids, ids + 1);
        auto& of_source = outputs.emplace_back();
        for (int64_t i = 0; i < request.count + (request.greedy ? 1 : 0); ++i)
          of_source.push_back({i % 2 == 0 ? whole : first, -1.0});
      }
      return outputs;
    };
    hooks_.on_progress = [this](const Progress& progress) { last_ = progress; };
  }

  absl::Status Train() {
    auto run = TrainingRun::Create(config_, hooks_);
    if (!run.ok()) return run.status();
    run_ = *std::move(run);
    return run_->Run().status();
  }

  const TemporaryFolder folder_;
  TrainingConfig config_;
  TrainingRunHooks hooks_;
  Progress last_;
  std::unique_ptr<TrainingRun> run_;
};

TEST_F(SequenceObjectiveTest, RewardedOutputsBecomeMoreProbable) {
  for (const Objective objective : {Objective::kRisk, Objective::kSelfCritical}) {
    config_.train.objective = objective;
    config_.train.run = folder_ / EnumText(objective);
    config_.train.reward.samples = 2;
    config_.train.reward.sharpness = 1;
    config_.train.reward.baseline = RewardBaseline::kMean;
    const auto run = TrainingRun::Create(config_, hooks_);
    ASSERT_TRUE(run.ok()) << run.status();
    // By how much the whole sentence is more probable than its first word, in nats.
    const auto advantage = [&] {
      const torch::NoGradGuard no_grad;
      const auto loss = [&](const Ids& target) {
        return (*run)
            ->model()
            ->ComputeLoss(MakeBatch({{{4, 5, 6}, target}}), TeacherForcing())
            .objective.item<double>();
      };
      return loss({4}) - loss({4, 5, 6});
    };
    const double before = advantage();
    ASSERT_TRUE((*run)->Run().ok());
    EXPECT_GT(advantage(), before + 0.5) << EnumText(objective);
    ASSERT_TRUE(last_.reward);
    EXPECT_GT(*last_.reward, 0.5);  // The reference has 1.
    EXPECT_LT(*last_.reward, 1);
  }
}

TEST_F(SequenceObjectiveTest, SameSeedSameWeights) {
  config_.train.objective = Objective::kSelfCritical;
  config_.train.reward.likelihood = 0.3;
  TensorMap weights[2];
  for (const size_t i : {0, 1}) {
    config_.train.run = folder_ / absl::StrCat("run", i);
    ASSERT_TRUE(Train().ok());
    for (const auto& [name, parameter] : Parameters(*run_->model()))
      weights[i].emplace(name, parameter.clone());
  }
  for (const auto& [name, parameter] : weights[0])
    EXPECT_TRUE(torch::equal(parameter, weights[1].at(name))) << name;
}

TEST_F(SequenceObjectiveTest, ErrorsNameTheKey) {
  config_.train.objective = Objective::kRisk;
  const auto error = [this] { return std::string(Train().message()); };
  config_.train.reward.metric = MetricKind::kF1;
  EXPECT_THAT(error(), HasSubstr("train.reward.metric: expected a metric that a single sentence"));
  config_.train.reward.metric = MetricKind::kChrf;
  config_.train.reward.samples = 1;
  EXPECT_EQ(error(), "train.reward.samples: expected 2 to 1,000, found 1");
  config_.train.reward.samples = 2;
  config_.train.guided_alignment = 0.1;
  EXPECT_THAT(error(), HasSubstr("train.guided_alignment: expected 0 unless train.objective"));
  config_.train.guided_alignment = 0;
  config_.run.init_from.clear();
  EXPECT_EQ(error(),
            "train.init_from: expected a trained run where train.objective is risk, found nothing");
  config_.run.init_from = folder_ / "base";
  hooks_.sample_outputs = nullptr;
  EXPECT_EQ(error(), "train.objective: risk needs a hook `sample_outputs`");
}

// Words of the sentences are copied in their order, so that word i is aligned to word i.
TEST_F(SequenceObjectiveTest, GuidedAlignmentFindsTheWordsThatAreCopied) {
  config_.train.guided_alignment = 1;
  config_.train.max_updates = 800;
  ASSERT_TRUE(Train().ok());
  const torch::NoGradGuard no_grad;
  Model model = run_->model();
  model->eval();
  const Batch batch = MakeBatch({{{4, 5, 6, 7}, {4, 5, 6, 7}}});
  auto state = model->decoder()->Start(model->Encode(batch));
  for (int64_t t = 0; t < 5; ++t) {
    const DecoderStep step = model->decoder()->Step(batch.target_input.select(1, t), *state);
    EXPECT_EQ(step.attention.argmax(1).item<int64_t>(), t);
    state = step.state;
  }
}

}  // namespace
}  // namespace seq2seq
