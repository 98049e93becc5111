#include "seq2seq/train/training_run.h"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/options.h"
#include "seq2seq/inference/run_folder.h"
#include "seq2seq/model/parameters.h"
#include "tests/testing/learn.h"
#include "tests/testing/standard_input.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/tiny_model.h"
#include "tests/train/lines.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Options of a program, which config.yaml holds too.
struct ProgramOptions {
  struct {
    int64_t beam = 7;

    template <typename V>
    void Visit(V&& visit) {
      visit("beam", beam, "Hypotheses.");
    }
  } decoding;

  template <typename V>
  void Visit(V&& visit) {
    visit("decoding", decoding);
  }
};

// Runs over sentences to be copied.
class TrainingRunTest : public ::testing::Test {
 protected:
  TrainingRunTest() {
    torch::set_num_threads(1);
    const std::string text = folder_.Write("text", Lines(22, 2));
    const std::string valid = folder_.Write("valid", Lines(6, 3));
    const std::string model =
        folder_.Write("words.model", Learn(Lines(50, 1), TokenizerKind::kWord)->model());
    config_.data.train = {text, text};
    config_.data.valid = {valid, valid};
    config_.data.source_tokenizer = config_.data.target_tokenizer = model;
    config_.data.batch.size = 4;
    config_.model = TinyOptions();
    config_.model.source_vocab = config_.model.target_vocab = 0;  // Those of the tokenizer.
    config_.train.run = folder_ / "run";
    config_.train.precision = PrecisionChoice::kFp32;  // On every processor.
    config_.train.metric = {"loss"};
    config_.train.max_updates = 2;
    config_.run.device = "cpu";
  }

  // The run after Create and Run.
  std::unique_ptr<TrainingRun> Train(TrainingRunHooks hooks = {}) const {
    auto run = TrainingRun::Create(config_, std::move(hooks));
    EXPECT_TRUE(run.ok()) << run.status();
    if (!run.ok()) return nullptr;
    const auto reason = (*run)->Run();
    EXPECT_TRUE(reason.ok()) << reason.status();
    return *std::move(run);
  }

  absl::Status CreateError() const { return TrainingRun::Create(config_, {}).status(); }

  std::string StoredConfig() const { return folder_.Read("run/config.yaml"); }

  const TemporaryFolder folder_;
  TrainingConfig config_;
};

TEST_F(TrainingRunTest, TrainsIntoARunFolder) {
  const std::unique_ptr<TrainingRun> run = Train();
  ASSERT_NE(run, nullptr);
  EXPECT_EQ(run->trainer().state().update, 2);
  EXPECT_GT(run->config().model.source_vocab, 0);
  EXPECT_EQ(run->folder().path, config_.train.run);
  for (const char* name :
       {"config.yaml", "source.model", "target.model", "log.jsonl", "latest", "best", "cache"})
    EXPECT_TRUE(std::filesystem::exists(folder_ / ("run/" + std::string(name)))) << name;
  EXPECT_THAT(StoredConfig(), AllOf(HasSubstr("learning_rate: "), HasSubstr("device: cpu")));
}

TEST_F(TrainingRunTest, ResumedRunEndsWithTheWeightsOfAnUninterruptedOne) {
  config_.train.max_updates = 4;
  const TensorMap whole = Parameters(*Train()->model());
  config_.train.run = folder_ / "other";
  for (const int64_t updates : {2, 4}) {
    config_.train.max_updates = updates;
    const std::unique_ptr<TrainingRun> run = Train();
    EXPECT_EQ(run->trainer().state().update, updates);
    if (updates < 4) continue;
    for (const auto& [name, parameter] : Parameters(*run->model()))
      EXPECT_TRUE(parameter.equal(whole.at(name))) << name;
  }
}

TEST_F(TrainingRunTest, StandardInputIsReadOnceAndResumedFrom) {
  config_.train.max_updates = 4;
  const TensorMap whole = Parameters(*Train()->model());
  config_.train.run = folder_ / "other";
  config_.data.train[0] = "-";
  {
    StandardInput input;
    input.Write(Lines(22, 2));
    input.Close();
    config_.train.max_updates = 2;
    ASSERT_NE(Train(), nullptr);
  }
  EXPECT_EQ(folder_.Read("other/cache/stdin.txt"), Lines(22, 2));
  const StandardInput never_ends;  // Reading it would wait for ever.
  config_.train.max_updates = 4;
  const std::unique_ptr<TrainingRun> run = Train();
  for (const auto& [name, parameter] : Parameters(*run->model()))
    EXPECT_TRUE(torch::equal(parameter, whole.at(name))) << name;
  EXPECT_EQ(run->config().data.train[0], "-");
}

TEST_F(TrainingRunTest, StandardInputThatCannotBeUsedIsNotKept) {
  config_.data.train[0] = "-";
  {
    StandardInput input;
    input.Write("a b\n");
    input.Close();
    EXPECT_THAT(std::string(CreateError().message()), HasSubstr("cache/stdin.txt has 1 lines"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/cache/stdin.txt"));
  StandardInput input;
  input.Write(Lines(22, 2));
  input.Close();
  EXPECT_NE(Train(), nullptr);
}

TEST_F(TrainingRunTest, StandardInputTwiceIsRefusedByKey) {
  config_.data.train = {"-", "-"};
  EXPECT_EQ(CreateError().message(),
            "data.train: expected -, standard input, once at most, found - 2 times");
  config_.data.train[0] = config_.data.valid[1];
  config_.data.valid[1] = "-";
  EXPECT_THAT(std::string(CreateError().message()), StartsWith("data.valid: "));
}

TEST_F(TrainingRunTest, OtherModelOrDataIsRefusedByKey) {
  Train();
  const TrainingConfig good = config_;
  config_.model.decoder.dropout = 0.5;
  EXPECT_TRUE(absl::IsFailedPrecondition(CreateError())) << CreateError();
  EXPECT_THAT(std::string(CreateError().message()),
              HasSubstr("was started with model.decoder.dropout = 0, and is now given 0.5"));
  config_ = good;
  config_.train.seed = 9;
  EXPECT_THAT(std::string(CreateError().message()), HasSubstr("train.seed = 1"));
  config_ = good;
  config_.train.schedule.learning_rate = 0.25;  // May change.
  EXPECT_TRUE(CreateError().ok()) << CreateError();
}

TEST_F(TrainingRunTest, RunWithFormerKeysResumes) {
  config_.train.schedule.kind = RateScheduleKind::kStep;
  Train();
  const std::string former =
      absl::StrReplaceAll(StoredConfig(), {{"    learning_rate: ", "    rate: "},
                                           {"    decay_every: ", "    every: "},
                                           {"    predicted: ", "    own: "}});
  ASSERT_NE(former, StoredConfig());
  folder_.Write("run/config.yaml", former + "validation:\n  beam: 3\n");
  config_.train.max_updates = 3;
  EXPECT_EQ(Train()->trainer().state().update, 3);
  EXPECT_THAT(StoredConfig(),
              AllOf(HasSubstr("    learning_rate: "), HasSubstr("    decay_every: "),
                    HasSubstr("    predicted: "), Not(HasSubstr("    own: "))));
}

TEST_F(TrainingRunTest, EvaluatesTranslationsOfTheValidationText) {
  config_.train.metric = {"bleu"};
  EXPECT_THAT(std::string(CreateError().message()), HasSubstr("train.metric"));
  std::vector<double> scores;
  TrainingRunHooks hooks;
  hooks.translate = [](Model model, const ValidationInput& input) {
    EXPECT_FALSE(model->is_training());
    EXPECT_EQ(input.lines.size(), 6u);
    const auto source = input.source->Read(input.lines[0], 100);
    EXPECT_EQ(input.source->kind(), SourceKind::kText);
    EXPECT_EQ(input.target.Decode(source.value().ids), input.lines[0]);
    return input.lines;  // A perfect copy, as the references are the sources.
  };
  hooks.on_validation = [&](const Validation& validation) { scores.push_back(validation.score); };
  Train(std::move(hooks));
  ASSERT_EQ(scores.size(), 1u);
  EXPECT_NEAR(scores[0], 100, 1e-9);
}

TEST_F(TrainingRunTest, ValidationSetsHaveMetricsByName) {
  const std::string news = folder_.Write("news", Lines(4, 8));
  config_.data.valid.insert(config_.data.valid.end(), {news, news});
  config_.data.valid_names = {"dev", "news"};
  config_.train.metric = {"wer", "news.chrf++", "news.command"};
  config_.train.metric_command = "of the program";
  config_.train.metric_options.tokenize = Tokenization::kSubwords;
  EXPECT_THAT(std::string(CreateError().message()), HasSubstr("hook `judge`"));
  std::map<std::string, double> metrics;
  std::vector<std::string> judged;
  TrainingRunHooks hooks;
  hooks.translate = [](Model, const ValidationInput& input) { return input.lines; };
  hooks.judge = [&](const std::vector<std::string>& outputs, const std::string& set) {
    judged.push_back(set);
    return static_cast<double>(outputs.size());
  };
  hooks.on_validation = [&](const Validation& validation) { metrics = validation.metrics; };
  Train(std::move(hooks));
  EXPECT_EQ(judged, std::vector<std::string>{"news"});
  EXPECT_EQ(metrics.at("wer"), 0);
  EXPECT_EQ(metrics.at("news.command"), 4);
  EXPECT_NEAR(metrics.at("news.chrf++"), 100, 1e-9);
  EXPECT_NEAR(metrics.at("bleu"), 100, 1e-9);  // Of subwords.
  EXPECT_GT(metrics.at("news.loss"), 0);
  EXPECT_NE(metrics.at("news.loss"), metrics.at("loss"));
  EXPECT_EQ(metrics.count("chrf++"), 0);
  EXPECT_EQ(std::filesystem::read_symlink(config_.train.run + "/best-news.command"),
            std::filesystem::read_symlink(config_.train.run + "/best"));
  config_.train.metric = {"dev.wer"};
  config_.train.metric_command.clear();
  EXPECT_THAT(std::string(CreateError().message()), HasSubstr("plain names"));
  config_.train.metric = {"wer", "news.chrf++"};
  config_.data.valid_names = {"dev", "gossip"};
  EXPECT_THAT(std::string(CreateError().message()), HasSubstr("'news' is not in data.valid_names"));
}

TEST_F(TrainingRunTest, ConfigHoldsTheSectionsOfTheProgram) {
  ProgramOptions options;
  for (const int64_t updates : {2, 3}) {
    config_.train.max_updates = updates;
    TrainingRunHooks hooks;
    hooks.further_sections = ListOptions(options);
    EXPECT_EQ(Train(std::move(hooks))->trainer().state().update, updates);
    EXPECT_THAT(StoredConfig(), HasSubstr("\ndecoding:\n  beam: 7"));
    const auto found = FindModel(config_.train.run);
    EXPECT_TRUE(found.ok()) << found.status();
  }
}

TEST_F(TrainingRunTest, ResumedRunKeepsTheSectionsOfOtherPrograms) {
  Train();
  const std::string others = "validation:  # Of seq2seq train.\n  beam: 3\nnotes: [by, hand]\n";
  folder_.Write("run/config.yaml", others + StoredConfig());
  ProgramOptions options;
  for (const int64_t updates : {3, 4}) {
    config_.train.max_updates = updates;
    TrainingRunHooks hooks;
    hooks.further_sections = ListOptions(options);
    EXPECT_EQ(Train(std::move(hooks))->trainer().state().update, updates);
    EXPECT_THAT(StoredConfig(),
                AllOf(HasSubstr("\ndecoding:\n  beam: 7"), EndsWith("\n" + others)));
  }
}

TEST_F(TrainingRunTest, FolderOfAnotherRunOrOfSomethingElseIsRefused) {
  const std::unique_ptr<TrainingRun> run = Train();
  EXPECT_TRUE(absl::IsFailedPrecondition(CreateError())) << CreateError();  // It is in use.
  config_.train.run = folder_.path();
  EXPECT_THAT(std::string(CreateError().message()), HasSubstr("is not a run folder"));
}

TEST_F(TrainingRunTest, ErrorsNameTheKey) {
  const TrainingConfig good = config_;
  config_.run.threads = -1;
  EXPECT_THAT(std::string(CreateError().message()), HasSubstr("train.threads"));
  config_ = good;
  config_.run.device = "toaster";
  EXPECT_THAT(std::string(CreateError().message()), HasSubstr("device 'toaster'"));
  config_ = good;
  config_.data.target_tokenizer = "";
  EXPECT_THAT(std::string(CreateError().message()), HasSubstr("data.target_tokenizer"));
  config_ = good;
  config_.train.schedule.learning_rate = -1;
  EXPECT_THAT(std::string(CreateError().message()), HasSubstr("train.schedule.learning_rate"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

}  // namespace
}  // namespace seq2seq
