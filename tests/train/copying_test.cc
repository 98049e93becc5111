// Training of models that copy.
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/train/training_run.h"
#include "tests/testing/learn.h"
#include "tests/testing/temporary_folder.h"
#include "tests/train/copy_config.h"
#include "tests/train/lines.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class CopyingTest : public testing::Test {
 protected:
  std::string CreateError() const {
    return std::string(TrainingRun::Create(config_, {}).status().message());
  }

  // The loss of a short run.
  double Train(const std::string& run, bool copy) {
    config_.train.run = folder_ / run;
    config_.model.decoder.copy = copy;
    auto training = TrainingRun::Create(config_, {});
    EXPECT_TRUE(training.ok()) << training.status();
    if (!training.ok()) return 0;
    const auto reason = (*training)->Run();
    EXPECT_TRUE(reason.ok()) << reason.status();
    Model model = (*training)->model();
    model->eval();
    const torch::NoGradGuard no_grad;
    return model
        ->ComputeLoss(MakeBatch({{{4, 5, 6}, {4, 5, 6}}, {{8, 7}, {8, 7}}}), TeacherForcing())
        .nll.item<double>();
  }

  const TemporaryFolder folder_;
  TrainingConfig config_ = CopyConfig(folder_, "run");
};

TEST_F(CopyingTest, LearnsToCopySoonerThanToTranslate) {
  config_.train.max_updates = 150;
  const double generated = Train("generating", false);
  EXPECT_LT(Train("copying", true), 0.5 * generated);
}

TEST_F(CopyingTest, NeedsOneTokenizer) {
  config_.model.decoder.copy = true;
  config_.data.target_tokenizer =
      folder_.Write("other.model", Learn(Lines(50, 7), TokenizerKind::kWord)->model());
  EXPECT_THAT(CreateError(), StartsWith("model.decoder.copy: "));
}

TEST_F(CopyingTest, IsNotTaughtNorTeaches) {
  config_.train.max_updates = 1;
  Train("teacher", true);
  config_.run.teacher = {folder_ / "teacher"};
  EXPECT_THAT(CreateError(), StartsWith("model.decoder.copy: "));
  config_.model.decoder.copy = false;
  config_.train.run = folder_ / "student";
  EXPECT_THAT(CreateError(), HasSubstr("copies (model.decoder.copy)"));
}

TEST_F(CopyingTest, TakesNoScheduledSampling) {
  config_.model.decoder.copy = true;
  config_.train.teacher_forcing.start = 0.9;
  EXPECT_THAT(CreateError(),
              AllOf(StartsWith("model.decoder.copy: "), HasSubstr("train.teacher_forcing")));
}

}  // namespace
}  // namespace seq2seq
