#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <c10/core/CPUAllocator.h>
#include <torch/torch.h>

#include "seq2seq/ops/compute.h"
#include "seq2seq/train/memory_meter.h"
#include "seq2seq/train/pass_memory.h"
#include "seq2seq/train/trainer.h"
#include "tests/train/trainer_fixture.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A batch of equal rows.
Batch MakeBatchOf(int64_t rows, int64_t source, int64_t target) {
  const std::vector<int32_t> sources(static_cast<size_t>(source), 5);
  const std::vector<int32_t> targets(static_cast<size_t>(target), 5);
  return Collate(std::vector<Example>(static_cast<size_t>(rows), {sources, targets}));
}

TEST(MemoryMeter, CountsWhatIsHeldAtOnce) {
  const MemoryMeter meter(torch::kCPU);
  for (int i = 0; i < 3; ++i) torch::zeros({1000});
  EXPECT_GE(meter.peak(), 4000);
  EXPECT_LT(meter.peak(), 8000);
  const torch::Tensor a = torch::zeros({1000}), b = torch::zeros({1000});
  EXPECT_GE(meter.peak(), 8000);
  EXPECT_LT(meter.peak(), 12000);
}

// Passes of a model whose activations are not negligible beside its gradients.
class PassMemoryTest : public ::testing::TestWithParam<bool> {
 protected:
  PassMemoryTest() {
    torch::set_num_threads(1);
    ModelOptions options;
    options.source_vocab = options.target_vocab = 50;
    options.encoder.embedding = options.decoder.embedding = 32;
    options.encoder.hidden = 32;
    options.decoder.hidden = 64;
    torch::manual_seed(1);
    model_ = Model(options);
  }

  void Pass(const Batch& batch) {
    const ComputeGuard guard({.fused = GetParam()});
    model_->ComputeLoss(batch, TeacherForcing(), {.smoothing = 0.1}).objective.backward();
    for (auto& parameter : model_->parameters()) parameter.mutable_grad() = torch::Tensor();
  }

  PassMemory Measure(int64_t rows, double bound) {
    measured_ = 0;
    return PassMemory::Measure(
        [&](const Batch& batch) {
          measured_ = std::max(measured_, batch.size());
          Pass(batch);
        },
        MakeBatchOf(1, 30, 30), rows, bound, torch::kCPU);
  }

  double Peak(const Batch& batch) {
    const MemoryMeter meter(torch::kCPU);
    Pass(batch);
    return static_cast<double>(meter.peak());
  }

  Model model_{nullptr};
  int64_t measured_ = 0;  // The most rows.
};

TEST_P(PassMemoryTest, EstimatesLieWithin15PercentOfThePeak) {
  const double all = Peak(MakeBatchOf(64, 30, 30));
  const PassMemory memory = Measure(64, 1.1 * all);
  EXPECT_EQ(measured_, 64);
  for (const BatchShape& shape : std::vector<BatchShape>{
           {64, 31, 31}, {48, 31, 31}, {64, 16, 16}, {20, 31, 21}, {8, 31, 31}}) {
    const double peak = Peak(MakeBatchOf(shape.rows, shape.source - 1, shape.target - 1));
    EXPECT_NEAR(memory.Estimate(shape) / peak, 1, 0.15)
        << shape.rows << " x " << shape.source << " x " << shape.target;
  }
}

TEST_P(PassMemoryTest, MeasuresNoMoreRowsThanFitOrMatter) {
  Measure(64, kInfinity);
  EXPECT_EQ(measured_, 2);
  const double of_16 = Peak(MakeBatchOf(16, 30, 30));
  Measure(64, 1.1 * of_16);
  EXPECT_EQ(measured_, 16);
}

INSTANTIATE_TEST_SUITE_P(Paths, PassMemoryTest, ::testing::Bool(),
                         [](const auto& path) { return path.param ? "fused" : "plain"; });

class TrainerMemory : public TrainerTest {
 protected:
  TrainerMemory() {
    options_.max_updates = 6;
    options_.optimizer.kind = OptimizerKind::kSgd;  // Differences stay as small as they are.
  }

  // The bytes of training row by row, from the error for too little memory.
  int64_t Least() {
    options_.memory = 1;
    const std::string message(Create().status().message());
    EXPECT_THAT(message, StartsWith("train.memory: "));
    const std::vector<std::string> words = absl::StrSplit(message, ' ');
    int64_t held = 0;
    for (const std::string& word : words) {
      if (absl::SimpleAtoi(word, &held)) break;
    }
    return held;
  }

  // Trains, and returns the weights and the peak memory of updates.
  std::vector<torch::Tensor> Weights(TrainerHooks hooks = {}) {
    Empty();
    Model model = MakeModel();
    auto trainer =
        Trainer::Create(options_, buckets_, model, torch::kCPU, mix_, valid_, std::move(hooks));
    EXPECT_TRUE(trainer.ok()) << trainer.status();
    const MemoryMeter meter(torch::kCPU);
    const auto reason = (*trainer)->Run();
    EXPECT_TRUE(reason.ok()) << reason.status();
    peak_ = meter.peak();
    return model->parameters();
  }

  // Removes all runs.
  void Empty() const {
    std::filesystem::remove_all(options_.run);
    std::filesystem::create_directory(options_.run);
  }

  static void ExpectNear(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(torch::allclose(a[i], b[i], 1e-4, 1e-6)) << i;
  }

  int64_t peak_ = 0;
};

TEST_F(TrainerMemory, ABatchInPartsTrainsAsTheWhole) {
  const std::vector<torch::Tensor> whole = Weights();
  const int64_t of_whole = peak_;
  options_.memory = Least();
  const std::vector<torch::Tensor> parts = Weights();
  ExpectNear(parts, whole);
  EXPECT_LT(peak_, of_whole);
}

TEST_F(TrainerMemory, MuchOfItChangesNothing) {
  const std::vector<torch::Tensor> without = Weights();
  options_.memory = int64_t{1} << 40;
  const std::vector<torch::Tensor> with = Weights();
  for (size_t i = 0; i < with.size(); ++i) EXPECT_TRUE(torch::equal(with[i], without[i])) << i;
}

TEST_F(TrainerMemory, ResumesInPartsAsIfItHadNotStopped) {
  dropout_ = 0.3;
  options_.memory = Least();
  const std::vector<torch::Tensor> once = Weights();
  Empty();
  options_.max_updates = 3;
  Train();
  options_.max_updates = 6;
  Model model = MakeModel();
  auto trainer = Trainer::Create(options_, buckets_, model, torch::kCPU, mix_, valid_, {});
  ASSERT_TRUE(trainer.ok() && (*trainer)->Run().ok());
  for (size_t i = 0; i < once.size(); ++i)
    EXPECT_TRUE(torch::equal(model->parameters()[i], once[i])) << i;
}

TEST_F(TrainerMemory, TooLittleNamesTheKeyAndWhatIsNeeded) {
  options_.memory = Least() - 1;
  const absl::Status status = Create().status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), StartsWith("train.memory: expected at least the "));
  options_.memory = -1;
  EXPECT_THAT(std::string(Create().status().message()), HasSubstr("found -1"));
}

// LibTorch's allocator on the CPU, except that it fails at times on one thread.
class FailingAllocator : public c10::Allocator {
 public:
  FailingAllocator() : all_(c10::GetDefaultCPUAllocator()), thread_(std::this_thread::get_id()) {
    c10::SetCPUAllocator(this, kPriority);
  }
  ~FailingAllocator() override { c10::SetCPUAllocator(all_, kPriority); }

  // LibTorch has declared the first, later the second of them.
  c10::DataPtr allocate(size_t bytes) const { return Allocate(bytes); }  // NOLINT
  c10::DataPtr allocate(size_t bytes) { return Allocate(bytes); }        // NOLINT
  void copy_data(void* to, const void* from, size_t bytes) const {       // NOLINT
    std::memcpy(to, from, bytes);
  }

  // From the next allocation, number 0, on, those from `first` to before `last` fail.
  void Fail(int64_t first, int64_t last) {
    count_ = 0;
    first_ = first;
    last_ = last;
  }

  int64_t count() const { return count_; }

 private:
  static constexpr uint8_t kPriority = 200;

  c10::DataPtr Allocate(size_t bytes) const {
    if (std::this_thread::get_id() == thread_) {
      const int64_t number = count_++;
      TORCH_CHECK(number < first_ || number >= last_, "DefaultCPUAllocator: can't allocate memory");
    }
    return all_->allocate(bytes);
  }

  c10::Allocator* const all_;
  const std::thread::id thread_;
  mutable std::atomic<int64_t> count_ = 0;
  int64_t first_ = 0, last_ = 0;
};

TEST_F(TrainerMemory, WhereItEndsTrainingGoesOnInHalves) {
  options_.validate_every = 10;
  const std::vector<torch::Tensor> whole = Weights();
  FailingAllocator allocator;
  options_.max_updates = 1;
  allocator.Fail(0, 0);
  Weights();
  const int64_t of_update = allocator.count() / 2;  // The rest validates and saves.
  options_.max_updates = 6;
  for (int64_t eighth = 0; eighth < 4; ++eighth) {
    std::vector<std::string> warnings;
    TrainerHooks hooks;
    hooks.on_warning = [&](const std::string& warning) { warnings.push_back(warning); };
    hooks.stop_requested = [&, begun = false]() mutable {
      if (!begun) allocator.Fail(of_update * eighth / 8, of_update * eighth / 8 + 1);
      begun = true;
      return false;
    };
    ExpectNear(Weights(hooks), whole);
    ASSERT_EQ(warnings.size(), 1u) << eighth;
    EXPECT_THAT(warnings[0], StartsWith("update 1: out of memory for 4 x "));
  }
}

TEST_F(TrainerMemory, WhereNoneIsLeftForARowTrainingEnds) {
  FailingAllocator allocator;
  TrainerHooks hooks;
  hooks.stop_requested = [&] {
    allocator.Fail(0, std::numeric_limits<int64_t>::max());
    return false;
  };
  auto trainer = Create(hooks);
  ASSERT_TRUE(trainer.ok());
  const auto reason = (*trainer)->Run();
  allocator.Fail(0, 0);
  EXPECT_FALSE(reason.ok());
  EXPECT_THAT(std::string(reason.status().message()), HasSubstr("DefaultCPUAllocator"));
}

}  // namespace
}  // namespace seq2seq
