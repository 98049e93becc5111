// Training in several processes: their result is that of one.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/status_macros.h"
#include "seq2seq/train/gradient.h"
#include "seq2seq/train/gradient_exchange.h"
#include "tests/testing/process_threads.h"
#include "tests/testing/tiny_model.h"
#include "tests/train/trainer_fixture.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

double LargestDifferenceOfDense(const TensorMap& a, const TensorMap& b) {
  double largest = 0;
  for (const auto& [name, tensor] : a) {
    const torch::Tensor other = b.at(name);
    largest = std::max(largest, (tensor.to_dense() - other.to_dense()).abs().max().item<double>());
  }
  return largest;
}

TensorMap Copies(const TensorMap& tensors) {
  TensorMap copies;
  for (const auto& [name, tensor] : tensors) copies.emplace(name, tensor.detach().clone());
  return copies;
}

class ProcessesTest : public TrainerTest {
 protected:
  ProcessesTest() {
    options_.max_updates = 20;
    options_.validate_every = 10;
  }

  // The weights after training in `size` processes, the same in all of them.
  TensorMap TrainRanks(int64_t size, TrainerHooks hooks = {}) {
    std::mutex mutex;
    TensorMap weights;
    RunRanks(size, [&](ProcessGroup& group) {
      Model model = MakeRanksModel();
      // Rank 0's are what counts.
      if (group.rank() > 0) model->parameters()[0].detach().zero_();
      auto trainer = Trainer::Create(options_, buckets_, model, torch::kCPU, mix_, valid_, hooks,
                                     size > 1 ? &group : nullptr);
      ASSERT_TRUE(trainer.ok()) << trainer.status();
      const auto reason = (*trainer)->Run();
      ASSERT_TRUE(reason.ok()) << reason.status();
      const std::lock_guard<std::mutex> lock(mutex);
      const TensorMap mine = Copies(Parameters(*model));
      if (!weights.empty()) {
        EXPECT_EQ(LargestDifferenceOfDense(mine, weights), 0) << group.rank();
      }
      weights = mine;
      state_ = (*trainer)->state();
    });
    return weights;
  }

  // Empties the run folder.
  void Restart() const {
    for (const std::string& name : folder_.Names()) std::filesystem::remove_all(folder_ / name);
  }

  // The random numbers are those of the whole process.
  Model MakeRanksModel() const {
    static std::mutex mutex;
    const std::lock_guard<std::mutex> lock(mutex);
    return MakeModel();
  }

  TrainerState state_;  // Of a process of the last training.
};

TEST_F(ProcessesTest, GradientsOfUnequalSharesAreThoseOfTheJoinedBatch) {
  const std::vector<Pair> pairs =
      RandomPairs(TinyOptions(), {{3, 2}, {9, 4}, {1, 6}, {2, 2}, {12, 11}});
  const auto gradients = [&](Model model, const std::vector<Batch>& batches, int64_t tokens,
                             GradientExchange* exchange) {
    MemoryPlan memory;
    return ComputeGradient(
        model, torch::kCPU, batches, {.forcing = TeacherForcing(), .seed = 3, .tokens = tokens},
        memory, [](const std::string& warning) { ADD_FAILURE() << warning; }, exchange);
  };
  Model whole = TinyModel(TinyOptions(), torch::kFloat32);
  const Batch joined = MakeBatch(pairs);
  const LossSums expected = gradients(whole, {joined}, joined.target_tokens, nullptr);
  TensorMap reference;
  for (const auto& [name, parameter] : Parameters(*whole))
    reference.emplace(name, parameter.grad().to_dense().clone());

  for (const GradientCompression compression :
       {GradientCompression::kNone, GradientCompression::kBf16}) {
    RunRanks(3, [&](ProcessGroup& group) {
      // Rank 1 has nothing.
      std::vector<Batch> mine;
      if (group.rank() == 0) mine = {MakeBatch({pairs[0], pairs[4]}), MakeBatch({pairs[3]})};
      if (group.rank() == 2) mine = {MakeBatch({pairs[1], pairs[2]})};
      Model model(TinyOptions());
      model->eval();
      const TensorMap parameters = Parameters(*model);
      ASSERT_TRUE(AssignTensors(Parameters(*whole), "whole", parameters).ok());
      GradientExchange exchange(parameters, group, compression);
      for (int update = 0; update < 3; ++update) {  // The first has no flat buffer yet.
        const LossSums loss = gradients(model, mine, joined.target_tokens, &exchange);
        double sums[] = {loss.nll, static_cast<double>(loss.tokens)};
        exchange.Finish(absl::MakeSpan(sums));
        EXPECT_NEAR(sums[0], expected.nll, 1e-4);
        EXPECT_EQ(sums[1], static_cast<double>(expected.tokens));
        for (const auto& [name, parameter] : parameters) {
          ASSERT_TRUE(parameter.grad().defined()) << name;
          const torch::Tensor difference = (parameter.grad().to_dense() - reference.at(name)).abs();
          const double scale = reference.at(name).abs().max().item<double>();
          EXPECT_LT(difference.max().item<double>(),
                    compression == GradientCompression::kNone ? 1e-6 : 0.01 * scale + 1e-6)
              << name << " update " << update;
        }
      }
    });
  }
}

TEST_F(ProcessesTest, TrajectoryOf200UpdatesIsThatOfOneProcess) {
  options_.max_updates = 200;
  options_.validate_every = 100;
  const TensorMap one = TrainRanks(1);
  const double loss = state_.validations.back().metrics.at("loss");
  for (const int64_t size : {2, 3}) {
    Restart();
    // Rounding grows over the updates; it stays below a thousandth of the weights.
    EXPECT_LT(LargestDifferenceOfDense(TrainRanks(size), one), 1e-3) << size;
    EXPECT_NEAR(state_.validations.back().metrics.at("loss"), loss, 1e-3 * loss);
  }
}

TEST_F(ProcessesTest, WeightsOfCorporaAreThoseOfOneProcess) {
  const Corpus other = MakeCorpus(9, 5);
  mix_ = CorpusMix({&train_, &other}, {0.5, 2.5});
  const TensorMap one = TrainRanks(1);
  Restart();
  EXPECT_LT(LargestDifferenceOfDense(TrainRanks(3), one), 1e-4);
}

TEST_F(ProcessesTest, IsTheSameFromRunToRun) {
  for (const GradientCompression compression :
       {GradientCompression::kNone, GradientCompression::kBf16}) {
    options_.processes.compression = compression;
    Restart();
    const TensorMap first = TrainRanks(3);
    Restart();
    EXPECT_EQ(LargestDifferenceOfDense(TrainRanks(3), first), 0);
  }
}

TEST_F(ProcessesTest, ResumedTrainingEndsWithTheSameWeights) {
  const TensorMap straight = TrainRanks(3);
  Restart();
  for (const int64_t updates : {7, 20}) {
    options_.max_updates = updates;
    const TensorMap weights = TrainRanks(3);
    if (updates == 20) {
      EXPECT_EQ(LargestDifferenceOfDense(weights, straight), 0);
    }
  }
}

TEST_F(ProcessesTest, NothingSavedIsNothingToReturnTo) {
  options_.max_skipped = 0;
  options_.recoveries = 2;
  RunRanks(2, [&](ProcessGroup& group) {
    Model model = MakeRanksModel();
    TrainerHooks hooks;
    hooks.stop_requested = [model] {
      model->parameters()[0].detach().fill_(std::numeric_limits<float>::quiet_NaN());
      return false;
    };
    auto trainer =
        Trainer::Create(options_, buckets_, model, torch::kCPU, mix_, valid_, hooks, &group);
    ASSERT_TRUE(trainer.ok()) << trainer.status();
    EXPECT_THAT(std::string((*trainer)->Run().status().message()), HasSubstr("try a lower"));
  });
}

TEST_F(ProcessesTest, GoesOnWithAnotherNumberOfProcesses) {
  options_.accumulate = 2;
  options_.average = 0.9;
  const TensorMap straight = TrainRanks(1);
  Restart();
  int64_t updates = 0;
  for (const int64_t size : {2, 3, 1, 4}) {
    options_.max_updates = updates += 5;
    const TensorMap weights = TrainRanks(size);
    EXPECT_EQ(state_.update, updates);
    if (updates == 20) {
      EXPECT_LT(LargestDifferenceOfDense(weights, straight), 1e-4);
    }
  }
}

TEST_F(ProcessesTest, LogIsThatOfOneProcess) {
  options_.report_every = 5;
  TrainRanks(1);
  const std::vector<nlohmann::json> one = LogLines();
  Restart();
  TrainRanks(3);
  const std::vector<nlohmann::json> three = LogLines();
  ASSERT_EQ(three.size(), one.size());
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(three[i].at("event"), one[i].at("event"));
    EXPECT_EQ(three[i].at("update"), one[i].at("update"));
    EXPECT_NEAR(three[i].at("loss").get<double>(), one[i].at("loss").get<double>(), 1e-4);
    if (three[i].at("event") == "progress") {
      EXPECT_EQ(three[i].at("processes"), 3);
      EXPECT_GT(three[i].at("sent_bytes").get<double>(), 0);
      EXPECT_FALSE(one[i].contains("processes"));
    }
  }
}

TEST_F(ProcessesTest, ThoseThatUpdateByThemselvesAreAveraged) {
  options_.processes.sync_every = 5;
  options_.max_updates = 200;
  options_.validate_every = options_.report_every = options_.save_every = 50;
  TrainRanks(2);
  const auto& validations = state_.validations;
  EXPECT_LT(validations.back().metrics.at("loss"), validations.front().metrics.at("loss"));
}

TEST_F(ProcessesTest, IntervalsBetweenExchangesHaveNoValidation) {
  options_.processes.sync_every = 3;
  const auto trainer = Create();
  EXPECT_THAT(std::string(trainer.status().message()),
              HasSubstr("a multiple of train.processes.sync_every, 3"));
}

TEST_F(ProcessesTest, StopThatOneIsAskedForStopsAllTogether) {
  std::mutex mutex;
  int64_t calls = 0;
  TrainerHooks hooks;
  hooks.stop_requested = [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    return ++calls == 8;  // Of some process.
  };
  options_.max_updates = 1000;
  TrainRanks(3, hooks);
  EXPECT_LT(state_.update, 10);
  EXPECT_GT(state_.update, 0);
}

TEST_F(ProcessesTest, WaitingForOthersIsTrainingTime) {
  options_.max_updates = 10;
  RunRanks(2, [&](ProcessGroup& group) {
    TrainerHooks hooks;
    hooks.stop_requested = [&] {
      if (group.rank() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(50));
      return false;
    };
    auto trainer = Trainer::Create(options_, buckets_, MakeRanksModel(), torch::kCPU, mix_, valid_,
                                   hooks, &group);
    ASSERT_TRUE(trainer.ok()) << trainer.status();
    ASSERT_TRUE((*trainer)->Run().ok());
    EXPECT_GT((*trainer)->state().seconds, 0.4);
  });
}

TEST_F(ProcessesTest, NanInTheShareOfOneIsSkippedByAll) {
  options_.max_skipped = 2;
  RunRanks(2, [&](ProcessGroup& group) {
    Model model = MakeRanksModel();
    TrainerHooks hooks;
    if (group.rank() == 1) {
      // Weights that only rank 1 has, from the third update on.
      hooks.stop_requested = [model, n = 0]() mutable {
        if (++n == 3)
          model->parameters()[0].detach().fill_(std::numeric_limits<float>::quiet_NaN());
        return false;
      };
    }
    auto trainer =
        Trainer::Create(options_, buckets_, model, torch::kCPU, mix_, valid_, hooks, &group);
    ASSERT_TRUE(trainer.ok()) << trainer.status();
    const auto reason = (*trainer)->Run();
    EXPECT_EQ((*trainer)->state().skipped, 2);
    EXPECT_THAT(std::string(reason.status().message()), HasSubstr("gradient norm nan"));
  });
}

TEST_F(ProcessesTest, ThoseThatUpdateByThemselvesNameTheOneThatFails) {
  options_.max_skipped = 2;
  options_.processes.sync_every = 5;
  options_.validate_every = options_.report_every = options_.save_every = 10;
  RunRanks(2, [&](ProcessGroup& group) {
    Model model = MakeRanksModel();
    auto trainer = Trainer::Create(options_, buckets_, model, torch::kCPU, mix_, valid_,
                                   TrainerHooks(), &group);
    ASSERT_TRUE(trainer.ok()) << trainer.status();
    if (group.rank() == 1)
      model->parameters()[0].detach().fill_(std::numeric_limits<float>::quiet_NaN());
    const std::string error((*trainer)->Run().status().message());
    EXPECT_THAT(error, HasSubstr("rank 1: update 5: the loss is"));
    EXPECT_THAT(error, Not(HasSubstr("rank 0: update")));
  });
}

TEST_F(ProcessesTest, ErrorOfOneEndsAllWithItsReason) {
  RunRanks(3, [&](ProcessGroup& group) {
    TrainerHooks hooks;
    hooks.evaluate = [&](Model) -> absl::StatusOr<std::map<std::string, double>> {
      if (group.rank() == 2) return absl::ResourceExhaustedError("no paper left");
      SEQ2SEQ_RETURN_IF_ERROR(group.Meet());
      return std::map<std::string, double>();
    };
    auto trainer = Trainer::Create(options_, buckets_, MakeRanksModel(), torch::kCPU, mix_, valid_,
                                   hooks, &group);
    ASSERT_TRUE(trainer.ok()) << trainer.status();
    const auto reason = (*trainer)->Run();
    EXPECT_THAT(std::string(reason.status().message()), HasSubstr("no paper left"));
  });
}

}  // namespace
}  // namespace seq2seq
