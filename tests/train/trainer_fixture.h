// Fixture of the trainer's tests.
#ifndef TESTS_TRAIN_TRAINER_FIXTURE_H_
#define TESTS_TRAIN_TRAINER_FIXTURE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include <nlohmann/json.hpp>
#include <torch/torch.h>

#include "seq2seq/data/source_encoder.h"
#include "seq2seq/train/trainer.h"
#include "tests/testing/learn.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/tiny_model.h"
#include "tests/train/lines.h"

namespace seq2seq {

// A trainer of sentences to be copied: 22 for training, 6 for validation. Six batches of four an
// epoch, the last of two.
class TrainerTest : public ::testing::Test {
 protected:
  TrainerTest() {
    torch::set_num_threads(1);
    options_.run = folder_.path();
    options_.precision = PrecisionChoice::kFp32;  // On every processor.
    options_.metric = {"loss"};
    options_.patience = 0;
    options_.schedule.kind = RateScheduleKind::kConstant;
    options_.schedule.learning_rate = 0.01;
    options_.schedule.warmup = 0;
    buckets_.size = 4;
  }

  Corpus MakeCorpus(int lines, uint64_t seed) const {
    const std::string path = corpora_.Write("text" + std::to_string(seed), Lines(lines, seed));
    absl::StatusOr<Corpus> corpus =
        Corpus::Build({path, path}, EncodeText(tokenizer_), tokenizer_, {}, path + ".cache");
    EXPECT_TRUE(corpus.ok()) << corpus.status();
    return *std::move(corpus);
  }

  Model MakeModel() const {
    ModelOptions model = TinyOptions();
    model.source_vocab = model.target_vocab = tokenizer_.size();
    model.encoder.dropout = model.decoder.dropout = dropout_;
    torch::manual_seed(1);
    return Model(model);
  }

  absl::StatusOr<std::unique_ptr<Trainer>> Create(TrainerHooks hooks = {}) const {
    return Trainer::Create(options_, buckets_, MakeModel(), torch::kCPU, mix_, valid_,
                           std::move(hooks));
  }

  // A trainer that ran until a bound.
  std::unique_ptr<Trainer> Train(TrainerHooks hooks = {},
                                 std::optional<StopReason> expected = std::nullopt) const {
    absl::StatusOr<std::unique_ptr<Trainer>> trainer = Create(std::move(hooks));
    EXPECT_TRUE(trainer.ok()) << trainer.status();
    if (!trainer.ok()) return nullptr;
    const absl::StatusOr<StopReason> reason = (*trainer)->Run();
    EXPECT_TRUE(reason.ok()) << reason.status();
    if (reason.ok() && expected) {
      EXPECT_EQ(Text(*reason), Text(*expected));
    }
    return *std::move(trainer);
  }

  // The status of Run with these hooks.
  absl::Status RunStatus(TrainerHooks hooks) const {
    absl::StatusOr<std::unique_ptr<Trainer>> trainer = Create(std::move(hooks));
    EXPECT_TRUE(trainer.ok()) << trainer.status();
    return (*trainer)->Run().status();
  }

  std::vector<nlohmann::json> LogLines() const {
    std::vector<nlohmann::json> lines;
    const std::string log = folder_.Read("log.jsonl");
    for (const absl::string_view line : absl::StrSplit(log, '\n', absl::SkipEmpty())) {
      lines.push_back(nlohmann::json::parse(line));
    }
    return lines;
  }

  const TemporaryFolder corpora_;
  const TemporaryFolder folder_;
  const Tokenizer tokenizer_ = *Learn(Lines(50, 1), TokenizerKind::kWord);
  const Corpus train_ = MakeCorpus(22, 2);
  const Corpus valid_ = MakeCorpus(6, 3);
  CorpusMix mix_ = train_;
  TrainOptions options_;
  BucketOptions buckets_;
  double dropout_ = 0;
};

// Returns the metrics of `evaluate` one after the other.
inline TrainerHooks Evaluating(const std::string& metric, std::vector<double> values) {
  TrainerHooks hooks;
  hooks.evaluate = [metric, values, next = size_t{0}](Model) mutable {
    return std::map<std::string, double>{{metric, values.at(next++)}};
  };
  return hooks;
}

// Asks to stop once `updates` are done.
inline TrainerHooks StoppingAfter(int64_t updates) {
  TrainerHooks hooks;
  hooks.stop_requested = [left = updates]() mutable { return left-- <= 0; };
  return hooks;
}

}  // namespace seq2seq

#endif  // TESTS_TRAIN_TRAINER_FIXTURE_H_
