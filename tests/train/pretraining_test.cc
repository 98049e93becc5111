// Pretraining on plain text, and what other runs take from it.
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/enum_text.h"
#include "seq2seq/base/random.h"
#include "seq2seq/model/parameters.h"
#include "seq2seq/train/training_config.h"
#include "seq2seq/train/training_data.h"
#include "seq2seq/train/training_run.h"
#include "tests/testing/learn.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/tiny_model.h"
#include "tests/train/lines.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Lines of six successive letters of a cycle of eight: the neighbours of each determine it.
std::string Cycles(int count, uint64_t seed) {
  std::string text;
  for (int line = 0; line < count; ++line) {
    seed = Mix(seed);
    for (uint64_t i = 0; i < 6; ++i)
      absl::StrAppend(&text, i > 0 ? " " : "",
                      std::string(1, static_cast<char>('a' + (seed + i) % 8)));
    text += "\n";
  }
  return text;
}

// The entropy of the words of `text`, in nats: the loss of a unigram model.
double Entropy(const std::string& text) {
  std::map<std::string, double> counts;
  double total = 0;
  for (const absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    ++counts[std::string(word)];
    ++total;
  }
  double entropy = 0;
  for (const auto& [word, count] : counts) entropy -= count / total * std::log(count / total);
  return entropy;
}

class PretrainingTest : public ::testing::Test {
 protected:
  PretrainingTest() { torch::set_num_threads(1); }

  // A small run; Transformers have two layers.
  TrainingConfig Config(Objective objective, EncoderKind encoder) const {
    const bool transformer = encoder == EncoderKind::kTransformer;
    const DecoderKind decoder = transformer ? DecoderKind::kTransformer : DecoderKind::kRecurrent;
    TrainingConfig config = DefaultConfig(objective, encoder, decoder);
    config.data.train = {text_};
    config.data.valid = {valid_};
    config.data.source_tokenizer = words_;
    config.data.batch.size = 16;
    config.model.encoder.embedding = config.model.decoder.embedding = 16;
    config.model.encoder.hidden = transformer ? 16 : 8;
    config.model.decoder.hidden = 16;
    config.model.encoder.layers = config.model.decoder.layers = transformer ? 2 : 1;
    config.model.encoder.transformer.feed_forward = 32;
    config.model.decoder.transformer.feed_forward = 32;
    config.model.encoder.dropout = config.model.decoder.dropout = 0;
    config.train.run = folder_ / absl::StrCat(EnumText(objective), "-", EnumText(encoder));
    config.train.precision = PrecisionChoice::kFp32;  // On every processor.
    config.train.label_smoothing = 0;
    config.train.schedule.kind = RateScheduleKind::kConstant;
    config.train.schedule.learning_rate = 0.01;
    config.train.schedule.warmup = 0;
    config.train.optimizer.beta2 = 0.999;
    config.train.max_updates = 8;
    config.run.device = "cpu";
    return config;
  }

  static std::unique_ptr<TrainingRun> Train(const TrainingConfig& config) {
    auto run = TrainingRun::Create(config, {});
    EXPECT_TRUE(run.ok()) << run.status();
    if (!run.ok()) return nullptr;
    const auto reason = (*run)->Run();
    EXPECT_TRUE(reason.ok()) << reason.status();
    return *std::move(run);
  }

  static std::string ErrorOf(const TrainingConfig& config) {
    const absl::Status status = TrainingRun::Create(config, {}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  }

  static double Loss(const TrainingRun& run) {
    return run.trainer().state().validations.back().metrics.at("loss");
  }

  static void ExpectEqual(const TensorMap& found, const TensorMap& expected) {
    for (const auto& [name, tensor] : expected)
      EXPECT_TRUE(torch::equal(found.at(name), tensor)) << name;
  }

  const TemporaryFolder folder_;
  const std::string text_ = folder_.Write("text", Cycles(200, 2));
  const std::string valid_ = folder_.Write("valid", Cycles(40, 3));
  const std::string words_ =
      folder_.Write("words.model", Learn(Cycles(50, 1), TokenizerKind::kWord)->model());
};

const EncoderKind kEncoders[] = {EncoderKind::kRecurrent, EncoderKind::kTransformer};
const Objective kObjectives[] = {Objective::kMasked, Objective::kDenoising};

TEST_F(PretrainingTest, LearnsMoreThanTheFrequenciesOfWords) {
  const double unigram = Entropy(Cycles(200, 2));
  EXPECT_NEAR(unigram, std::log(8), 0.05);
  for (const Objective objective : kObjectives) {
    for (const EncoderKind encoder : kEncoders) {
      TrainingConfig config = Config(objective, encoder);
      config.train.max_updates = 800;
      EXPECT_LT(Loss(*Train(config)), 0.6 * unigram)
          << EnumText(objective) << " " << EnumText(encoder);
    }
  }
}

TEST_F(PretrainingTest, ResumedRunEndsWithTheWeightsOfAnUninterruptedOne) {
  for (const Objective objective : kObjectives) {
    for (const EncoderKind encoder : kEncoders) {
      TrainingConfig config = Config(objective, encoder);
      const std::unique_ptr<TrainingRun> whole = Train(config);
      config.train.run += "-resumed";
      config.train.max_updates = 5;
      Train(config);
      config.train.max_updates = 8;
      const std::unique_ptr<TrainingRun> resumed = Train(config);
      ExpectEqual(Parameters(*resumed->model()), Parameters(*whole->model()));
      EXPECT_EQ(Loss(*resumed), Loss(*whole));
    }
  }
}

TEST_F(PretrainingTest, DefaultsOfMaskedNeedNoFurtherKeysOfTheModel) {
  for (const EncoderKind encoder : kEncoders) {
    TrainingConfig config = DefaultConfig(Objective::kMasked, encoder, DecoderKind::kRecurrent);
    config.data = Config(Objective::kMasked, encoder).data;
    EXPECT_TRUE(TrainingData::Validate(config).ok()) << TrainingData::Validate(config);
    ASSERT_TRUE(LoadTokenizers(config).ok());
    EXPECT_TRUE(Validate(config.model).ok()) << Validate(config.model);
    EXPECT_EQ(config.data.target_tokenizer, words_);
  }
}

TEST_F(PretrainingTest, OtherNoiseOrObjectiveIsAnotherRun) {
  TrainingConfig config = Config(Objective::kDenoising, EncoderKind::kRecurrent);
  Train(config);
  config.train.noise.spans = 0.5;
  EXPECT_THAT(std::string(TrainingRun::Create(config, {}).status().message()),
              HasSubstr("was started with train.noise.spans = 0.3"));
}

TEST_F(PretrainingTest, OtherRunsTakeTheWeightsOfTheEncoder) {
  for (const EncoderKind encoder : kEncoders) {
    const std::unique_ptr<TrainingRun> masked = Train(Config(Objective::kMasked, encoder));
    const TensorMap pretrained = Parameters(*masked->model());
    for (const bool shared : {false, true}) {
      TrainingConfig config = Config(Objective::kTranslation, encoder);
      config.data.train = {text_, text_};
      config.data.valid = {valid_, valid_};
      config.data.target_tokenizer = words_;
      config.model.shared_embeddings = shared;
      config.train.metric = {"loss"};
      config.train.run += shared ? "-shared" : "";
      config.run.init_from = masked->folder().path;
      const auto run = TrainingRun::Create(config, {});
      ASSERT_TRUE(run.ok()) << run.status();
      const TensorMap parameters = Parameters(*(*run)->model());
      int64_t taken = 0;
      for (const auto& [name, tensor] : parameters) {
        if (!absl::StartsWith(name, "encoder.")) continue;
        const bool embedding = name == "encoder.embedding.weight";
        EXPECT_TRUE(
            torch::equal(tensor, pretrained.at(embedding ? "decoder.embedding.weight" : name)))
            << name;
        ++taken;
      }
      EXPECT_EQ(taken,
                encoder == EncoderKind::kTransformer ? (shared ? 26 : 27) : (shared ? 8 : 9));
      EXPECT_TRUE(torch::equal(parameters.at("decoder.embedding.weight"),
                               pretrained.at("decoder.embedding.weight")));
    }
  }
}

TEST_F(PretrainingTest, OtherRunsTakeAllWeightsOfDenoising) {
  for (const EncoderKind encoder : kEncoders) {
    const std::unique_ptr<TrainingRun> denoising = Train(Config(Objective::kDenoising, encoder));
    TrainingConfig config = Config(Objective::kTranslation, encoder);
    config.data.train = {text_, text_};
    config.data.valid = {valid_, valid_};
    config.data.target_tokenizer = words_;
    config.train.metric = {"loss"};
    config.run.init_from = denoising->folder().path;
    const auto run = TrainingRun::Create(config, {});
    ASSERT_TRUE(run.ok()) << run.status();
    ExpectEqual(Parameters(*(*run)->model()), Parameters(*denoising->model()));
  }
}

TEST_F(PretrainingTest, WhatDoesNotSuitTheObjectiveIsRefusedByKey) {
  const TrainingConfig good = Config(Objective::kMasked, EncoderKind::kRecurrent);
  TrainingConfig config = good;
  config.data.train = {text_, text_};
  EXPECT_EQ(ErrorOf(config),
            "data.train: expected [text] where train.objective is masked, found 2 files");
  config = good;
  config.data.valid = {valid_, valid_};
  EXPECT_THAT(ErrorOf(config), StartsWith("data.valid: "));
  config = good;
  config.train.metric = {"bleu"};
  EXPECT_EQ(
      ErrorOf(config),
      "train.metric: expected loss or perplexity where train.objective is masked, found bleu");
  config = good;
  config.data.target_tokenizer =
      folder_.Write("other.model", Learn(Lines(50, 1), TokenizerKind::kWord)->model());
  EXPECT_THAT(ErrorOf(config), StartsWith("data.target_tokenizer: expected nothing, or "));
  config = good;
  config.model.source = SourceKind::kNone;
  EXPECT_THAT(ErrorOf(config), StartsWith("model.source: expected text "));
  config = good;
  config.data.sampling.source = true;
  EXPECT_THAT(ErrorOf(config), StartsWith("data.sampling.source: expected false "));
  config = good;
  config.model.decoder.kind = DecoderKind::kRecurrent;
  EXPECT_THAT(ErrorOf(config), StartsWith("model.decoder.kind: expected head "));
  config = good;
  config.train.objective = Objective::kDenoising;
  EXPECT_THAT(ErrorOf(config), StartsWith("model.decoder.kind: expected head "));
  config = good;
  config.model.shared_embeddings = false;
  EXPECT_THAT(ErrorOf(config), StartsWith("model.shared_embeddings: expected true "));
  config = good;
  config.model.decoder.tied_embeddings = false;
  EXPECT_THAT(ErrorOf(config), StartsWith("model.decoder.tied_embeddings: expected true "));
  config = good;
  config.model.decoder.word_dropout = 0.1;
  EXPECT_THAT(ErrorOf(config), StartsWith("model.decoder.word_dropout: expected 0 "));
}

}  // namespace
}  // namespace seq2seq
