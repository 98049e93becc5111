#include "seq2seq/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <nlohmann/json.hpp>
#include <torch/torch.h>

#include "seq2seq/base/profile.h"
#include "tests/train/trainer_fixture.h"

namespace seq2seq {
namespace {

namespace fs = std::filesystem;

TEST_F(TrainerTest, TenUpdatesSaveLoadTenMoreEqualTwenty) {
  // Ten updates of two batches end in the middle of the fourth epoch.
  dropout_ = 0.3;
  options_.accumulate = 2;
  options_.validate_every = 3;
  options_.schedule.kind = RateScheduleKind::kPlateau;
  options_.schedule.patience = 0;
  options_.schedule.learning_rate = 0.1;
  options_.teacher_forcing.kind = ForcingScheduleKind::kLinear;
  options_.teacher_forcing.start = 0.9;
  options_.teacher_forcing.decay = 0.02;
  options_.teacher_forcing.predicted = PredictedToken::kSample;

  const TemporaryFolder whole, halves;
  options_.max_updates = 20;
  options_.run = whole.path();
  Train();
  options_.run = halves.path();
  options_.max_updates = 20;
  const auto first = Train(StoppingAfter(10), StopReason::kRequested);
  EXPECT_EQ(first->state().update, 10);
  EXPECT_EQ(first->state().position.batch, 2);
  const auto second = Train({}, StopReason::kMaxUpdates);
  EXPECT_EQ(second->state().update, 20);

  for (const std::string name : {"model.safetensors", "optimizer.safetensors"}) {
    ASSERT_FALSE(whole.Read("step-20/" + name).empty());
    EXPECT_TRUE(whole.Read("step-20/" + name) == halves.Read("step-20/" + name)) << name;
  }
  nlohmann::json expected = nlohmann::json::parse(whole.Read("step-20/trainer.json"));
  nlohmann::json state = nlohmann::json::parse(halves.Read("step-20/trainer.json"));
  expected.erase("seconds");
  state.erase("seconds");
  EXPECT_EQ(state, expected);
}

TEST_F(TrainerTest, ResumesAfterEveryUpdateAsIfItHadNotStopped) {
  dropout_ = 0.3;
  const TemporaryFolder whole;
  options_.max_updates = 8;  // Into the second epoch.
  options_.run = whole.path();
  Train();
  options_.run = folder_.path();
  for (int stop = 1; stop <= 8; ++stop) Train(StoppingAfter(1));
  EXPECT_TRUE(whole.Read("step-8/model.safetensors") == folder_.Read("step-8/model.safetensors"));
}

// Epochs of a mix differ in their batches, and the rate is a function of the epoch.
TEST_F(TrainerTest, OneOfSeveralCorporaResumesAsIfItHadNotStopped) {
  const Corpus more = MakeCorpus(13, 4);
  mix_ = CorpusMix({&train_, &more}, {0.4, 1.5});
  buckets_.unit = BatchUnit::kTokens;
  buckets_.size = 20;
  options_.schedule.kind = RateScheduleKind::kLinear;
  options_.schedule.length = *Duration::FromText("4e");
  options_.max_epochs = 3;
  options_.report_every = 2;
  options_.log_norms = true;
  const TemporaryFolder whole;
  options_.run = whole.path();
  const int64_t updates = Train()->state().update;
  options_.run = folder_.path();
  for (int64_t stop = 1; stop <= updates; stop += 3) Train(StoppingAfter(3));
  const std::string file = absl::StrCat("step-", updates, "/model.safetensors");
  ASSERT_FALSE(whole.Read(file).empty());
  EXPECT_TRUE(whole.Read(file) == folder_.Read(file));
}

TEST_F(TrainerTest, AveragedOneResumesAsIfItHadNotStopped) {
  const TemporaryFolder whole;
  options_.average = 0.5;
  options_.max_updates = 8;
  options_.validate_every = 3;
  options_.run = whole.path();
  Train();
  options_.run = folder_.path();
  for (int stop = 1; stop <= 8; ++stop) Train(StoppingAfter(1));
  for (const char* file : {"step-8/model.safetensors", "step-8/optimizer.safetensors"}) {
    EXPECT_TRUE(whole.Read(file) == folder_.Read(file)) << file;
  }
}

TEST_F(TrainerTest, SavesTheAverageAndTrainsTheWeights) {
  options_.validate_every = 2;
  std::vector<TensorMap> weights;  // After each update.
  for (int64_t update = 1; update <= 4; ++update) {
    const TemporaryFolder until;
    options_.run = until.path();
    options_.max_updates = update;
    Train();
    const auto step = ReadTensors(until / absl::StrCat("step-", update, "/model.safetensors"));
    ASSERT_TRUE(step.ok());
    weights.emplace_back();
    for (const auto& [name, tensor] : *step) weights.back().emplace(name, tensor.clone());
  }
  const TemporaryFolder averaged;
  options_.run = averaged.path();
  options_.average = 0.25;
  Train();
  const auto average = ReadTensors(averaged / "step-4/model.safetensors");
  const auto memory = ReadTensors(averaged / "step-4/optimizer.safetensors");
  ASSERT_TRUE(average.ok() && memory.ok());
  for (auto& [name, expected] : Parameters(*MakeModel())) {
    torch::Tensor mean = expected.detach().clone();
    for (int64_t update = 1; update <= 4; ++update) {
      const double decay = std::min(
          0.25, (1.0 + static_cast<double>(update)) / (10.0 + static_cast<double>(update)));
      mean = decay * mean + (1 - decay) * weights[static_cast<size_t>(update - 1)].at(name);
    }
    EXPECT_LT(MaxDifference(average->at(name), mean), 1e-6) << name;
    EXPECT_TRUE(torch::equal(memory->at("trained." + name), weights[3].at(name))) << name;
  }
}

TEST_F(TrainerTest, FrozenModulesStayAsTheyAre) {
  options_.freeze = {"encoder", "decoder.embedding"};
  options_.max_updates = 3;
  Train();
  const auto trained = ReadTensors(folder_ / "step-3/model.safetensors");
  ASSERT_TRUE(trained.ok());
  for (const auto& [name, before] : Parameters(*MakeModel())) {
    const bool frozen = name.rfind("encoder.", 0) == 0 || name == "decoder.embedding.weight";
    EXPECT_EQ(torch::equal(trained->at(name), before), frozen) << name;
  }
}

TEST_F(TrainerTest, UpdateWithoutANumberIsLeftOutAndCounted) {
  for (const double clip_value : {0.0, 1.0}) {
    const TemporaryFolder folder;
    options_.run = folder.path();
    options_.max_updates = 5;
    options_.report_every = 1;
    options_.optimizer.clip_value = clip_value;
    Model model = MakeModel();
    const TensorMap parameters = Parameters(*model);
    int64_t updates = 0;
    parameters.at("decoder.output_bias").register_hook([&](const torch::Tensor& gradient) {
      constexpr double kInfinity = std::numeric_limits<double>::infinity();
      return ++updates == 3 ? torch::full_like(gradient, kInfinity) : gradient;
    });
    std::vector<TensorMap> weights;  // After so many updates.
    std::vector<Progress> reports;
    TrainerHooks hooks;
    hooks.stop_requested = [&] {
      weights.emplace_back();
      for (const auto& [name, tensor] : parameters)
        weights.back().emplace(name, tensor.detach().clone());
      return false;
    };
    hooks.on_progress = [&](const Progress& progress) { reports.push_back(progress); };
    auto trainer = Trainer::Create(options_, buckets_, model, torch::kCPU, mix_, valid_, hooks);
    ASSERT_TRUE(trainer.ok()) << trainer.status();
    ASSERT_TRUE((*trainer)->Run().ok());
    for (const auto& [name, tensor] : parameters) {
      EXPECT_TRUE(torch::equal(weights[3].at(name), weights[2].at(name))) << name;
      EXPECT_FALSE(torch::equal(weights[4].at(name), weights[3].at(name))) << name;
    }
    EXPECT_EQ((*trainer)->state().skipped, 1);
    EXPECT_EQ((*trainer)->state().skipped_in_a_row, 0);
    ASSERT_EQ(reports.size(), 5u);
    EXPECT_EQ(reports[1].skipped, 0);
    EXPECT_EQ(reports[2].skipped, 1);
    EXPECT_TRUE(std::isnan(reports[2].loss) && std::isnan(reports[2].token_accuracy));
    EXPECT_EQ(reports[3].skipped, 1);
    EXPECT_LE(reports[3].token_accuracy, 1);
    EXPECT_GT(reports[3].loss, 0);
  }
}

// Adam starts anew for a parameter that is unfrozen, as in a separate run.
TEST_F(TrainerTest, ThawedModuleMovesByTheRateAndNotMore) {
  options_.optimizer.clip_norm = 0;
  options_.freeze = {"encoder"};
  options_.max_updates = 60;
  Train();
  const auto before = ReadTensors(folder_ / "step-60/model.safetensors");
  ASSERT_TRUE(before.ok());
  options_.freeze = {};
  options_.max_updates = 61;
  options_.keep_last = 2;
  Train();
  const auto after = ReadTensors(folder_ / "step-61/model.safetensors");
  ASSERT_TRUE(after.ok());
  double largest = 0;
  for (const auto& [name, tensor] : *after) {
    if (name.rfind("encoder.", 0) == 0)
      largest = std::max(largest, MaxDifference(tensor, before->at(name)));
  }
  EXPECT_NEAR(largest, options_.schedule.learning_rate, 1e-4);
}

// A model whose gradients are infinite at the backward passes from `first` to `last`.
class InfiniteGradients {
 public:
  InfiniteGradients(Model model, int64_t first, int64_t last) {
    Parameters(*model).at("decoder.output_bias").register_hook([=, this](const auto& gradient) {
      const bool infinite = ++passes_ >= first && passes_ <= last;
      return infinite ? torch::full_like(gradient, std::numeric_limits<double>::infinity())
                      : gradient;
    });
  }

 private:
  int64_t passes_ = 0;
};

TEST_F(TrainerTest, GoesBackToTheLastStepWithALowerRateWhereAsked) {
  options_.max_updates = 6;
  options_.save_every = 2;
  options_.report_every = 1;
  options_.max_skipped = 1;
  options_.recoveries = 1;
  options_.recovery_rate = 0.25;
  Model model = MakeModel();
  InfiniteGradients gradients(model, 3, 4);
  std::vector<std::string> warnings;
  TrainerHooks hooks;
  hooks.on_warning = [&](const std::string& warning) { warnings.push_back(warning); };
  auto trainer = Trainer::Create(options_, buckets_, model, torch::kCPU, mix_, valid_, hooks);
  ASSERT_TRUE(trainer.ok() && (*trainer)->Run().ok());
  EXPECT_EQ((*trainer)->state().recoveries, 1);
  EXPECT_EQ((*trainer)->state().rate_share, 0.25);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], ::testing::HasSubstr("update 4: the loss is"));
  EXPECT_THAT(warnings[0], ::testing::HasSubstr("from update 2 with 0.25"));
  std::vector<std::string> events;
  for (const nlohmann::json& line : LogLines()) {
    events.push_back(
        absl::StrCat(line.at("event").get<std::string>(), " ", line.at("update").get<int>()));
    if (line.at("event") == "progress") {
      EXPECT_EQ(line.at("learning_rate").get<double>(), line.at("update") > 2 ? 0.0025 : 0.01);
    }
  }
  EXPECT_THAT(events,
              ::testing::ElementsAre("progress 1", "progress 2", "recovery 3", "progress 3",
                                     "progress 4", "progress 5", "progress 6", "validation 6"));

  const TemporaryFolder twin;
  options_.run = twin.path();
  Train(StoppingAfter(2));
  options_.schedule.learning_rate = 0.0025;
  Train();
  EXPECT_TRUE(twin.Read("step-6/model.safetensors") == folder_.Read("step-6/model.safetensors"));
}

TEST_F(TrainerTest, GoesBackNoMoreOftenThanAsked) {
  options_.save_every = 2;
  options_.max_skipped = 0;
  options_.recoveries = 2;
  Model model = MakeModel();
  InfiniteGradients gradients(model, 3, std::numeric_limits<int64_t>::max());
  int warnings = 0;
  TrainerHooks hooks;
  hooks.on_warning = [&](const std::string&) { ++warnings; };
  auto trainer = Trainer::Create(options_, buckets_, model, torch::kCPU, mix_, valid_, hooks);
  ASSERT_TRUE(trainer.ok());
  const absl::Status status = (*trainer)->Run().status();
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("update 3: the loss is"));
  EXPECT_THAT(std::string(status.message()),
              ::testing::HasSubstr("lower train.schedule.learning_rate than 0.0025"));
  EXPECT_EQ(warnings, 2);
}

TEST_F(TrainerTest, NormsOfModulesAreLoggedOnRequest) {
  options_.max_updates = 2;
  options_.report_every = 2;
  options_.log_norms = true;
  Model model = MakeModel();
  {
    const torch::NoGradGuard no_grad;
    Parameters(*model).at("encoder.backward_0.bias_ih").fill_(9);
  }
  auto trainer = Trainer::Create(options_, buckets_, model, torch::kCPU, mix_, valid_, {});
  ASSERT_TRUE(trainer.ok() && (*trainer)->Run().ok());
  const nlohmann::json norms = LogLines().at(0).at("norms");
  const auto step = ReadTensors(folder_ / "step-2/model.safetensors");
  ASSERT_TRUE(step.ok()) << step.status();
  EXPECT_NEAR(norms.at("decoder.embedding").at("weight").get<double>(),
              step->at("decoder.embedding.weight").norm().item<double>(), 1e-4);
  EXPECT_NEAR(norms.at("decoder").at("weight").get<double>(),
              std::hypot(step->at("decoder.output_weight").norm().item<double>(),
                         step->at("decoder.output_bias").norm().item<double>()),
              1e-4);
  for (const char* module : {"encoder.forward_0", "decoder.cell_0", "decoder.embedding"}) {
    EXPECT_GT(norms.at(module).at("gradient"), 0) << module;
    EXPECT_GT(norms.at(module).at("weight"), 0) << module;
  }
  // No gate of a new model is saturated but the forget gates, whose bias is 1.
  for (const char* cell : {"encoder.forward_0", "decoder.cell_0"})
    EXPECT_LT(norms.at(cell).at("saturated"), 0.05) << cell;
  EXPECT_GT(norms.at("encoder.backward_0").at("saturated"), 0.95);
  EXPECT_FALSE(norms.at("decoder.embedding").contains("saturated"));
}

TEST_F(TrainerTest, AnotherSeedTrainsOtherwise) {
  const TemporaryFolder other;
  options_.max_updates = 3;
  Train();
  options_.run = other.path();
  options_.seed = 2;
  Train();
  EXPECT_FALSE(other.Read("step-3/model.safetensors") == folder_.Read("step-3/model.safetensors"));
}

TEST_F(TrainerTest, AccumulatedBatchesAgreeWithOneLargeBatch) {
  // A batch of all pairs, and all pairs in the two batches of an update, are the same pairs.
  buckets_.size = 22;
  options_.max_updates = 6;
  Train();
  const TemporaryFolder small;
  options_.run = small.path();
  buckets_.size = 11;
  options_.accumulate = 2;
  Train();
  const absl::StatusOr<TensorMap> one = ReadTensors(folder_ / "step-6/model.safetensors");
  const absl::StatusOr<TensorMap> two = ReadTensors(small / "step-6/model.safetensors");
  ASSERT_TRUE(one.ok() && two.ok());
  const TensorMap start = Parameters(*MakeModel());
  for (const auto& [name, tensor] : *one) {
    EXPECT_LT(MaxDifference(tensor, two->at(name)), 1e-4) << name;
    EXPECT_GT(MaxDifference(tensor, start.at(name)), 1e-2) << name;
  }
}

TEST_F(TrainerTest, LearnsToCopy) {
  buckets_.size = 22;
  options_.schedule.learning_rate = 0.03;
  options_.label_smoothing = 0;
  options_.max_updates = 100;
  options_.report_every = 10;
  std::vector<double> losses, accuracies;
  TrainerHooks hooks;
  hooks.on_progress = [&](const Progress& progress) {
    losses.push_back(progress.loss);
    accuracies.push_back(progress.token_accuracy);
    EXPECT_NEAR(progress.perplexity, std::exp(progress.loss), 1e-9);
  };
  Train(std::move(hooks));
  ASSERT_EQ(losses.size(), 10u);
  EXPECT_GT(losses.front(), 1.5);
  EXPECT_LT(losses.back(), 0.1);
  EXPECT_GT(accuracies.back(), 0.95);
}

TEST_F(TrainerTest, Bf16LearnsAboutWhatFp32Learns) {
  if (!HasPrecision(Precision::kBf16)) GTEST_SKIP() << "no bf16 on this machine";
  const TemporaryFolder other;
  options_.max_updates = 30;
  const auto fp32 = Train();
  options_.run = other.path();
  options_.precision = PrecisionChoice::kBf16;
  const auto bf16 = Train();
  const double loss = fp32->state().Best()->metrics.at("loss");
  EXPECT_NEAR(bf16->state().Best()->metrics.at("loss"), loss, 0.05 * loss);
  EXPECT_FALSE(other.Read("step-30/model.safetensors") ==
               folder_.Read("step-30/model.safetensors"));
}

TEST_F(TrainerTest, PhasesShareTheTimeOfUpdates) {
#if !SEQ2SEQ_KERNELS
  GTEST_SKIP() << "built without the kernels, which have the phases";
#endif
  options_.max_updates = 10;
  const auto trainer = Train();
  double sum = 0;
  for (size_t i = 0; i < trainer->phase_seconds().size(); ++i) {
    const double seconds = trainer->phase_seconds()[i];
    // No outputs are sampled.
    EXPECT_EQ(seconds > 0, i != static_cast<size_t>(Phase::kSampling)) << i;
    sum += seconds;
  }
  EXPECT_LT(sum, trainer->update_seconds());
}

TEST_F(TrainerTest, StopsAtMaxUpdates) {
  options_.max_updates = 3;
  EXPECT_EQ(Train({}, StopReason::kMaxUpdates)->state().update, 3);
  EXPECT_EQ(fs::read_symlink(folder_ / "latest"), "step-3");
}

TEST_F(TrainerTest, StopsAfterWholeEpochs) {
  options_.max_epochs = 2;
  EXPECT_EQ(Train({}, StopReason::kMaxEpochs)->state().update, 12);
  // And then there is nothing left to do.
  EXPECT_EQ(Train({}, StopReason::kMaxEpochs)->state().update, 12);
}

TEST_F(TrainerTest, StopsAfterMinutesOfAllCallsTogether) {
  options_.max_minutes = 1e-9;
  EXPECT_EQ(Train({}, StopReason::kMaxMinutes)->state().update, 1);
  EXPECT_EQ(Train({}, StopReason::kMaxMinutes)->state().update, 1);
}

TEST_F(TrainerTest, StopsWhenPatienceEnds) {
  options_.metric = {"bleu"};
  options_.validate_every = 2;
  options_.patience = 2;
  const auto trainer = Train(Evaluating("bleu", {1, 3, 2, 3, 9}), StopReason::kPatience);
  EXPECT_EQ(trainer->state().update, 8);
  EXPECT_EQ(fs::read_symlink(folder_ / "best"), "step-4");
  EXPECT_EQ(fs::read_symlink(folder_ / "latest"), "step-8");
}

TEST_F(TrainerTest, StopsOnRequestAndSavesWithoutValidation) {
  const auto trainer = Train(StoppingAfter(5), StopReason::kRequested);
  EXPECT_EQ(trainer->state().update, 5);
  EXPECT_TRUE(trainer->state().validations.empty());
  EXPECT_EQ(fs::read_symlink(folder_ / "latest"), "step-5");
}

TEST_F(TrainerTest, EndsWithAValidationHoweverOftenItSaves) {
  for (const int64_t save_every : {0, 2, 3}) {
    const TemporaryFolder folder;
    options_.run = folder.path();
    options_.max_updates = 6;
    options_.validate_every = 4;
    options_.save_every = save_every;
    const auto trainer = Train();
    ASSERT_EQ(trainer->state().validations.size(), 2u) << save_every;
    EXPECT_EQ(trainer->state().validations.back().update, 6);
  }
}

TEST_F(TrainerTest, SavesAsOftenAsAsked) {
  options_.save_every = 2;
  options_.keep_last = 10;
  Train(StoppingAfter(5));
  EXPECT_THAT(folder_.Names(),
              ::testing::ElementsAre("latest", "log.jsonl", "step-2", "step-4", "step-5"));
}

TEST_F(TrainerTest, LowerLossAndPerplexityAreBetter) {
  for (const char* metric : {"loss", "perplexity"}) {
    const TemporaryFolder folder;
    options_.run = folder.path();
    options_.metric = {metric};
    options_.validate_every = 10;
    options_.max_updates = 30;
    options_.schedule.learning_rate = 0.003;
    const auto trainer = Train();
    const std::vector<Validation>& validations = trainer->state().validations;
    ASSERT_EQ(validations.size(), 3u);
    for (const Validation& validation : validations) {
      EXPECT_NEAR(validation.metrics.at("perplexity"), std::exp(validation.metrics.at("loss")),
                  1e-9);
    }
    ASSERT_LT(validations[2].metrics.at("loss"), validations[0].metrics.at("loss"));
    ASSERT_LT(validations[2].metrics.at("loss"), validations[1].metrics.at("loss"));
    EXPECT_EQ(trainer->state().Best()->update, 30);
    EXPECT_EQ(fs::read_symlink(folder / "best"), "step-30");
  }
}

TEST_F(TrainerTest, HigherScoresOfOutputAreBetter) {
  for (const char* name : {"bleu", "chrf", "accuracy", "cider", "command"}) {
    const TemporaryFolder folder;
    options_.run = folder.path();
    options_.metric = {name};
    options_.metric_command = std::string(name) == "command" ? "wc -l" : "";
    options_.validate_every = 1;
    options_.max_updates = 3;
    const auto trainer = Train(Evaluating(name, {10, 30, 20}));
    EXPECT_EQ(trainer->state().Best()->metrics.at(name), 30);
    EXPECT_EQ(fs::read_symlink(folder / "best"), "step-2");
  }
}

TEST_F(TrainerTest, LowerErrorRatesAreBetter) {
  options_.metric = {"wer"};
  options_.validate_every = 1;
  options_.max_updates = 3;
  Train(Evaluating("wer", {30, 10, 20}));
  EXPECT_EQ(fs::read_symlink(folder_ / "best"), "step-2");
}

TEST_F(TrainerTest, KeepsTheBestStepByEachMetric) {
  options_.metric = {"bleu", "wer", "news.loss"};
  options_.validate_every = 1;
  options_.max_updates = 5;
  const Corpus news = MakeCorpus(5, 9);
  const ValidationSets sets({{"dev", valid_}, {"news", news}});
  TrainerHooks hooks;
  hooks.evaluate = [next = size_t{0}](Model) mutable {
    const double bleu[] = {1, 3, 2, 3, 1}, wer[] = {40, 30, 20, 50, 60};
    const std::map<std::string, double> metrics = {{"bleu", bleu[next]}, {"wer", wer[next]}};
    ++next;
    return metrics;
  };
  auto trainer =
      Trainer::Create(options_, buckets_, MakeModel(), torch::kCPU, mix_, sets, std::move(hooks));
  ASSERT_TRUE(trainer.ok()) << trainer.status();
  ASSERT_TRUE((*trainer)->Run().ok());
  EXPECT_EQ(fs::read_symlink(folder_ / "best"), "step-2");
  EXPECT_EQ(fs::read_symlink(folder_ / "best-bleu"), "step-2");
  EXPECT_EQ(fs::read_symlink(folder_ / "best-wer"), "step-3");
  const std::vector<Validation>& validations = (*trainer)->state().validations;
  const auto lowest = std::min_element(
      validations.begin(), validations.end(), [](const Validation& a, const Validation& b) {
        return a.metrics.at("news.loss") < b.metrics.at("news.loss");
      });
  EXPECT_EQ(fs::read_symlink(folder_ / "best-news.loss"), "step-" + std::to_string(lowest->update));
  EXPECT_NE(lowest->metrics.at("news.loss"), lowest->metrics.at("loss"));
  // Kept although it is neither the best by the first metric nor the latest.
  EXPECT_TRUE(fs::exists(folder_ / "step-3/model.safetensors"));
  EXPECT_FALSE(fs::exists(folder_ / "step-4"));
}

TEST_F(TrainerTest, MetricsOfSetsThatDoNotExistAreRefused) {
  for (const auto& [metrics, message] :
       std::vector<std::pair<std::vector<std::string>, const char*>>{
           {{"bleu", "news.bleu"}, "'news' is not in data.valid_names"},
           {{"blue"}, "did you mean 'bleu'"},
           {{"loss", "loss"}, "given twice"},
           {{}, "found none"}}) {
    options_.metric = metrics;
    const absl::Status status = Create(Evaluating("bleu", {1})).status();
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(message));
  }
}

TEST_F(TrainerTest, ValidationLossIsThatOfTheHeldOutPairsOneByOne) {
  dropout_ = 0.5;  // Not in validation.
  options_.max_updates = 2;
  options_.teacher_forcing.start = 0.5;
  Model model = MakeModel();
  absl::StatusOr<std::unique_ptr<Trainer>> trainer =
      Trainer::Create(options_, buckets_, model, torch::kCPU, train_, valid_, {});
  ASSERT_TRUE(trainer.ok() && (*trainer)->Run().ok());
  model->eval();
  double nll = 0;
  int64_t tokens = 0;
  for (int64_t i = 0; i < valid_.size(); ++i) {
    const Batch batch = Collate({valid_[i]});
    nll += CrossEntropy(model(batch, TeacherForcing()), batch, 0).nll.item<double>();
    tokens += batch.target_tokens;
  }
  EXPECT_NEAR((*trainer)->state().validations.back().metrics.at("loss"),
              nll / static_cast<double>(tokens), 1e-5);
}

TEST_F(TrainerTest, EvaluatesInEvalModeAndGoesOnTraining) {
  dropout_ = 0.5;
  options_.validate_every = 1;
  options_.max_updates = 2;
  int calls = 0;
  TrainerHooks hooks;
  hooks.evaluate = [&](Model model) {
    ++calls;
    EXPECT_FALSE(model->is_training());
    return std::map<std::string, double>{};
  };
  Train(std::move(hooks));
  EXPECT_EQ(calls, 2);

  // The frequency of validations does not affect training.
  const TemporaryFolder other;
  options_.run = other.path();
  options_.validate_every = 100;
  Train();
  EXPECT_TRUE(other.Read("step-2/model.safetensors") == folder_.Read("step-2/model.safetensors"));
}

TEST_F(TrainerTest, LogHasALineOfJsonForEachReportAndValidation) {
  options_.report_every = 2;
  options_.validate_every = 3;
  options_.max_updates = 7;
  Train();
  std::vector<std::string> events;
  for (const nlohmann::json& line : LogLines()) {
    events.push_back(line.at("event").get<std::string>() + " " +
                     std::to_string(line.at("update").get<int>()));
    EXPECT_TRUE(line.at("loss").is_number());
  }
  EXPECT_THAT(events, ::testing::ElementsAre("progress 2", "validation 3", "progress 4",
                                             "progress 6", "validation 6", "validation 7"));
}

TEST_F(TrainerTest, LogOfARunThatWasKilledBeforeItsFirstSaveBeginsAnew) {
  options_.report_every = 1;
  options_.max_updates = 2;
  folder_.Write("log.jsonl", "{\"event\":\"progress\",\"update\":1}\n{\"event\":\"pro");
  Train();
  EXPECT_EQ(LogLines().size(), 3u);
}

TEST_F(TrainerTest, LogThatIsTakenAwayGoesOn) {
  options_.report_every = 1;
  options_.max_updates = 3;
  TrainerHooks hooks;
  hooks.on_progress = [&](const Progress& progress) {
    if (progress.update == 1) fs::remove(folder_ / "log.jsonl");
  };
  Train(std::move(hooks));
  EXPECT_EQ(LogLines().size(), 3u);
}

TEST_F(TrainerTest, ReportsTheMeanOfTheUpdatesSinceTheLastReport) {
  // Updates 1 and 2 and, after a stop, 3 and 4, reported one by one and two together.
  options_.max_updates = 4;
  options_.report_every = 1;
  std::vector<Progress> single;
  TrainerHooks hooks;
  hooks.on_progress = [&](const Progress& progress) { single.push_back(progress); };
  Train(hooks);
  ASSERT_EQ(single.size(), 4u);
  const double batches = 6;
  EXPECT_NEAR(single[2].epoch, 3 / batches, 1e-12);
  EXPECT_DOUBLE_EQ(single[2].learning_rate, 0.01);
  EXPECT_DOUBLE_EQ(single[2].teacher_forcing, 1);

  const TemporaryFolder other;
  options_.run = other.path();
  options_.report_every = 4;
  Train(StoppingAfter(2));
  std::vector<Progress> joint;
  hooks.on_progress = [&](const Progress& progress) { joint.push_back(progress); };
  Train(hooks);
  ASSERT_EQ(joint.size(), 1u);
  EXPECT_NEAR(joint[0].gradient_norm, (single[2].gradient_norm + single[3].gradient_norm) / 2,
              1e-6);
  EXPECT_GE(joint[0].loss, std::min(single[2].loss, single[3].loss));
  EXPECT_LE(joint[0].loss, std::max(single[2].loss, single[3].loss));
}

}  // namespace
}  // namespace seq2seq
