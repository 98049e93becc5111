#include "seq2seq/train/teachers.h"

#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/train/training_run.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/tiny_model.h"
#include "tests/train/copy_config.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Runs over random sentences to be copied, and a teacher that was trained on them.
class TeachersTest : public ::testing::Test {
 protected:
  TeachersTest() {
    torch::set_num_threads(1);
    config_ = CopyConfig(folder_, "teacher");
    config_.train.max_updates = 30;
    teacher_ = Train();
    config_.train.run = folder_ / "student";
    config_.train.seed = 2;
  }

  std::unique_ptr<TrainingRun> Train() const {
    auto run = TrainingRun::Create(config_, {});
    EXPECT_TRUE(run.ok()) << run.status();
    if (!run.ok()) return nullptr;
    const auto reason = (*run)->Run();
    EXPECT_TRUE(reason.ok()) << reason.status();
    return *std::move(run);
  }

  // How far the probabilities of a run are from the teacher's.
  double Distance(const TrainingRun& run) const {
    const torch::NoGradGuard no_grad;
    const Batch batch = MakeBatch({{{4, 5, 6}, {4, 5, 6}}, {{7}, {7}}});
    torch::Tensor probabilities[2];
    const TrainingRun* runs[] = {&run, teacher_.get()};
    for (size_t i = 0; i < 2; ++i) {
      Model model = runs[i]->model();
      model->eval();
      probabilities[i] = torch::softmax(model(batch, TeacherForcing()), 1);
    }
    return (probabilities[0] - probabilities[1]).abs().sum(1).mean().item<double>();
  }

  std::string CreateError() const {
    return std::string(TrainingRun::Create(config_, {}).status().message());
  }

  const TemporaryFolder folder_;
  TrainingConfig config_;
  std::unique_ptr<TrainingRun> teacher_;
};

TEST_F(TeachersTest, StudentComesCloserToItsTeacherThanFromTheReferences) {
  config_.train.max_updates = 200;
  const double alone = Distance(*Train());
  config_.train.run = folder_ / "taught";
  config_.run.teacher = {folder_ / "teacher"};
  config_.run.teacher_weight = 1;
  EXPECT_LT(Distance(*Train()), alone / 3);
}

TEST_F(TeachersTest, WithoutWeightTheyChangeNothing) {
  const TensorMap alone = Parameters(*Train()->model());
  config_.train.run = folder_ / "taught";
  config_.run.teacher = {folder_ / "teacher", folder_ / "teacher/best"};
  config_.run.teacher_weight = 0;
  const std::unique_ptr<TrainingRun> run = Train();
  for (const auto& [name, parameter] : Parameters(*run->model()))
    EXPECT_LT(MaxDifference(parameter, alone.at(name)), 1e-6) << name;
}

TEST_F(TeachersTest, ErrorsNameTheKeyAndTheRun) {
  config_.run.teacher = {folder_ / "nobody"};
  EXPECT_THAT(CreateError(), AllOf(HasSubstr("train.teacher: "), HasSubstr("nobody")));
  config_.run.teacher = {folder_ / "teacher"};
  config_.run.teacher_weight = 1.5;
  EXPECT_THAT(CreateError(), AllOf(HasSubstr("train.teacher_weight"), HasSubstr("1.5")));
  config_.run.teacher_weight = 0.5;
  config_.run.teacher_temperature = 0;
  EXPECT_THAT(CreateError(), HasSubstr("train.teacher_temperature"));
  config_.run.teacher_temperature = 1;
  config_.data.target_tokenizer =
      folder_.Write("other.model", Learn(Lines(60, 9), TokenizerKind::kChar)->model());
  config_.train.run = folder_ / "other";
  EXPECT_THAT(CreateError(), AllOf(HasSubstr("train.teacher: "), HasSubstr("teacher/target.model"),
                                   HasSubstr("data.target_tokenizer")));
}

}  // namespace
}  // namespace seq2seq
