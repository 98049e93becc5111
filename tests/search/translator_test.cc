#include "seq2seq/search/translator.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <torch/torch.h>

#include "seq2seq/base/log.h"
#include "seq2seq/base/utf8.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/learn_shortlist.h"
#include "seq2seq/data/source_encoder.h"
#include "seq2seq/kernels/precision_choice.h"
#include "seq2seq/model/stored_module.h"
#include "seq2seq/search/shortlist.h"
#include "seq2seq/weights/quantized_weights.h"
#include "seq2seq/weights/safetensors.h"
#include "tests/search/model_translator.h"
#include "tests/testing/learn.h"
#include "tests/testing/temporary_folder.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Candidates = std::vector<Candidate>;

// A model of whole words, random but deterministic.
class TranslatorTest : public ::testing::Test {
 protected:
  TranslatorTest() : translator_(ModelTranslator(model_, tokenizer_, tokenizer_)) {
    options_.max_length = 12;
    const std::vector<std::string> all = absl::StrSplit(SampleText(), '\n', absl::SkipEmpty());
    for (size_t i = 0; i < all.size(); i += 14) {
      const std::vector<std::string> words = absl::StrSplit(all[i], ' ');
      lines_.push_back(absl::StrJoin(
          words.begin(), words.begin() + static_cast<std::ptrdiff_t>(1 + Mix(i) % words.size()),
          " "));
    }
  }

  ModelOptions Options() const {
    ModelOptions options = TinyOptions();
    options.source_vocab = options.target_vocab = tokenizer_.size();
    return options;
  }

  std::vector<Candidates> Translate(const std::vector<std::string>& lines) const {
    return Translate(lines, options_);
  }

  std::vector<Candidates> Translate(const std::vector<std::string>& lines,
                                    const SearchOptions& options) const {
    absl::StatusOr<std::vector<Candidates>> results = translator_.Translate(lines, options);
    EXPECT_TRUE(results.ok()) << results.status();
    return results.ok() ? *results : std::vector<Candidates>(lines.size());
  }

  // A run folder of the model.
  RunFolder Write(const TemporaryFolder& folder) const {
    const RunFolder run = WriteRun(folder, Options(), *model_);
    folder.Write("source.model", tokenizer_.model());
    folder.Write("target.model", tokenizer_.model());
    return run;
  }

  // Of a model that has no source.
  ModelOptions LanguageModelOptions() const {
    ModelOptions options = Options();
    options.source = SourceKind::kNone;
    options.decoder.attention = AttentionKind::kNone;
    return options;
  }

  // The log-probability that a translator gives each target.
  static std::vector<double> LogProbabilities(const Translator& translator,
                                              const std::vector<std::string>& sources,
                                              const std::vector<std::string>& targets) {
    const absl::StatusOr<std::vector<Candidate>> scored = translator.Score(sources, targets);
    EXPECT_TRUE(scored.ok()) << scored.status();
    std::vector<double> found;
    for (size_t i = 0; scored.ok() && i < scored->size(); ++i)
      found.push_back((*scored)[i].log_probability);
    return found;
  }

  const Tokenizer tokenizer_ = *Learn(SampleText(), TokenizerKind::kWord);
  const Model model_ = TinyModel(Options(), torch::kFloat32);
  Translator translator_;
  SearchOptions options_;
  std::vector<std::string> lines_;
};

void ExpectSame(const std::vector<Candidates>& found, const std::vector<Candidates>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t s = 0; s < found.size(); ++s) {
    ASSERT_EQ(found[s].size(), expected[s].size()) << s;
    for (size_t i = 0; i < found[s].size(); ++i) {
      EXPECT_EQ(found[s][i].text, expected[s][i].text) << s;
      EXPECT_EQ(found[s][i].subwords, expected[s][i].subwords) << s;
      EXPECT_NEAR(found[s][i].score, expected[s][i].score, 1e-4) << s;
      EXPECT_NEAR(found[s][i].log_probability, expected[s][i].log_probability, 1e-3) << s;
    }
  }
}

// The library's log during its lifetime.
class CapturedLog {
 public:
  CapturedLog() {
    SetLogSink([this](LogLevel, absl::string_view message) { messages.emplace_back(message); });
  }
  ~CapturedLog() { SetLogSink(nullptr); }

  std::vector<std::string> messages;
};

// Of a vocabulary so large that a shortlist leaves most of it out.
TEST(Translator, SaysWhatTheShortlistHoldsAndWhatItMust) {
  std::string text;
  for (int i = 0; i < 500; ++i) absl::StrAppend(&text, "w", i, i % 4 == 3 ? "\n" : " ");
  const Tokenizer tokenizer = *Learn(text, [] {
    TokenizerTrainOptions options;
    options.kind = TokenizerKind::kWord;
    options.vocab_size = 504;
    return options;
  }());
  ModelOptions options = TinyOptions();
  options.source_vocab = options.target_vocab = tokenizer.size();
  const TemporaryFolder folder;
  const RunFolder run = WriteRun(folder, options, *TinyModel(options, torch::kFloat32));
  folder.Write("source.model", tokenizer.model());
  folder.Write("target.model", tokenizer.model());
  const std::string file = folder.Write("text", text);
  const auto corpus =
      Corpus::Build({file, file}, EncodeText(tokenizer), tokenizer, {}, folder / "corpus");
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  const Shortlist shortlist = LearnShortlist(*corpus, /*outputs=*/{}, tokenizer.size(),
                                             tokenizer.size(), {.translations = 2, .frequent = 4});
  ASSERT_TRUE(shortlist.Save(run.Shortlist()).ok());

  SearchOptions search;
  search.beam = search.n_best = 5;
  search.max_length = 6;
  const std::string line = "w1 w2 w3";
  const TokenIds allowed = shortlist.Tokens(tokenizer.Encode(line), {});
  ASSERT_GE(allowed.size(), 4u);
  ASSERT_LE(allowed.size(), 10u);
  int left_out = 499;  // A word that the shortlist leaves out.
  while (std::binary_search(allowed.begin(), allowed.end(),
                            tokenizer.Encode(absl::StrCat("w", left_out))[0]))
    --left_out;
  const std::string word = absl::StrCat("w", left_out);

  std::vector<std::string> texts;
  for (const bool used : {true, false}) {
    const auto translator = Translator::Load({run.path}, {.shortlist = used});
    ASSERT_TRUE(translator.ok()) << translator.status();
    const auto found = translator->Translate({line}, search);
    ASSERT_TRUE(found.ok()) << found.status();
    texts.push_back((*found)[0][0].text);
    int outside = 0;
    for (const Candidate& candidate : (*found)[0]) {
      for (const int32_t token : candidate.tokens)
        outside += std::binary_search(allowed.begin(), allowed.end(), token) ? 0 : 1;
    }
    if (used) {
      EXPECT_EQ(outside, 0);
    }
    for (const Request& request : {Request{line, word, {}, {}}, Request{line, {}, {word}, {}}}) {
      const TranslationResult wished = translator->TranslateRequests({request}, search)[0];
      ASSERT_TRUE(wished.ok()) << wished.status();
      EXPECT_THAT((*wished)[0].text, HasSubstr(word));
      EXPECT_GT((*wished)[0].log_probability, -1e6);
    }
  }
  EXPECT_NE(texts[0], texts[1]);

  // Of its own subwords, whatever the lines beside it.
  std::vector<std::string> lines = {line};
  for (int i = 0; i < 40; ++i) lines.push_back(absl::StrCat("w", 4 * i, " w", 499 - 7 * i));
  const auto translator = Translator::Load({run.path});
  ASSERT_TRUE(translator.ok()) << translator.status();
  for (const bool sample : {false, true}) {
    search.sample = sample;
    const auto alone = translator->With({.batch_size = 1}).Translate(lines, search);
    ASSERT_TRUE(alone.ok()) << alone.status();
    for (const int64_t size : {7, 64}) {
      const auto together = translator->With({.batch_size = size}).Translate(lines, search);
      ASSERT_TRUE(together.ok()) << together.status();
      ExpectSame(*together, *alone);
    }
  }
}

TEST_F(TranslatorTest, ResultsStandInTheOrderOfTheLines) {
  std::vector<Candidates> expected;
  std::set<std::string> different;
  for (const std::string& line : lines_) {
    expected.push_back(Translate({line})[0]);
    different.insert(expected.back()[0].text);
  }
  ASSERT_GT(different.size(), lines_.size() / 2);
  ASSERT_FALSE(std::is_sorted(lines_.begin(), lines_.end(),
                              [](const auto& a, const auto& b) { return a.size() < b.size(); }));
  ExpectSame(Translate(lines_), expected);
}

TEST_F(TranslatorTest, BatchSizeChangesNothing) {
  options_.n_best = 3;
  const std::vector<Candidates> expected = Translate(lines_);
  for (const int64_t size : {1, 2, 7}) {
    translator_ = translator_.With({.batch_size = size});
    ExpectSame(Translate(lines_), expected);
  }
}

TEST_F(TranslatorTest, LinesWithoutTextBecomeOneEmptyCandidateInTheirPlace) {
  for (const int64_t size : {1, 64}) {
    translator_ = translator_.With({.batch_size = size});
    const std::vector<Candidates> found = Translate({"", lines_[0], "   ", "", lines_[1], ""});
    ASSERT_THAT(found, SizeIs(6));
    for (const size_t place : {0, 2, 3, 5}) {
      ASSERT_THAT(found[place], SizeIs(1));
      EXPECT_EQ(found[place][0].text, "");
      EXPECT_THAT(found[place][0].subwords, IsEmpty());
    }
    ExpectSame({found[1], found[4]}, Translate({lines_[0], lines_[1]}));
  }
  EXPECT_THAT(Translate({""}), SizeIs(1));
  EXPECT_THAT(Translate({}), IsEmpty());
}

TEST_F(TranslatorTest, LengthsOfALanguageModelCountWhatFollowsPromptAndPrefix) {
  const Translator speaker =
      ModelTranslator(TinyModel(LanguageModelOptions(), torch::kFloat32), std::nullopt, tokenizer_);
  options_.min_length = options_.max_length = 3;
  const std::string prompt = lines_[0], prefix = lines_[1];
  const std::vector<Request> requests = {{prompt, prefix, {}, {}}};
  const TranslationResult found = speaker.TranslateRequests(requests, options_)[0];
  ASSERT_TRUE(found.ok()) << found.status();
  const size_t forced = tokenizer_.Encode(prompt).size() + tokenizer_.Encode(prefix).size();
  EXPECT_THAT((*found)[0].tokens, SizeIs(forced + 3));
}

TEST_F(TranslatorTest, NBestAreReturnedBestFirst) {
  options_.beam = options_.n_best = 4;
  for (const Candidates& candidates : Translate(lines_)) {
    ASSERT_THAT(candidates, SizeIs(4));
    for (size_t i = 0; i < 4; ++i) {
      if (i > 0) {
        EXPECT_LE(candidates[i].score, candidates[i - 1].score);
      }
      EXPECT_EQ(candidates[i].token_scores.size(), candidates[i].subwords.size() + 1);
    }
  }
}

TEST_F(TranslatorTest, BytesThatAreNotUtf8AreReplacedAndTheLogTells) {
  const std::string broken = "der Hund \xff\xfe rennt";
  const CapturedLog log;
  const std::vector<Candidates> found = Translate({broken, lines_[0]});
  EXPECT_THAT(log.messages, ElementsAre(HasSubstr("UTF-8")));
  ExpectSame(found, Translate({RepairUtf8(broken), lines_[0]}));
}

TEST_F(TranslatorTest, LineThatIsTooLongIsCutAndTheLogTells) {
  translator_ = translator_.With({.max_line_length = 3});
  const CapturedLog log;
  const std::vector<Candidates> found = Translate({"der Hund rennt im Garten", "das Kind lacht"});
  EXPECT_THAT(log.messages, ElementsAre(AllOf(HasSubstr("5 subwords"), HasSubstr("cut to 3"))));
  ExpectSame(found, Translate({"der Hund rennt", "das Kind lacht"}));
}

TEST_F(TranslatorTest, ScoreAgreesWithTranslate) {
  options_.repetition_penalty = 1.2;
  options_.coverage_penalty = 0.3;
  for (const auto normalization :
       {LengthNormalization::kNone, LengthNormalization::kAverage, LengthNormalization::kGnmt,
        LengthNormalization::kPower, LengthNormalization::kReward}) {
    options_.normalization = normalization;
    options_.n_best = 2;
    std::vector<std::string> sources, targets;
    std::vector<Candidate> expected;
    const std::vector<Candidates> found = Translate(lines_);
    for (size_t s = 0; s < lines_.size(); ++s) {
      for (const Candidate& candidate : found[s]) {
        if (tokenizer_.Subwords(tokenizer_.Encode(candidate.text)) != candidate.subwords) continue;
        sources.push_back(lines_[s]);
        targets.push_back(candidate.text);
        expected.push_back(candidate);
      }
    }
    ASSERT_GT(expected.size(), lines_.size());
    for (const int64_t size : {4, 64}) {
      translator_ = translator_.With({.batch_size = size});
      const absl::StatusOr<Candidates> scored = translator_.Score(sources, targets, options_);
      ASSERT_TRUE(scored.ok()) << scored.status();
      ASSERT_EQ(scored->size(), expected.size());
      for (size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ((*scored)[i].text, expected[i].text);
        EXPECT_EQ((*scored)[i].subwords, expected[i].subwords);
        EXPECT_NEAR((*scored)[i].score, expected[i].score, 1e-4);
        EXPECT_THAT((*scored)[i].token_scores,
                    ::testing::Pointwise(::testing::DoubleNear(1e-4), expected[i].token_scores));
      }
    }
  }
}

TEST_F(TranslatorTest, ScoreOfUnpairedLinesIsAnError) {
  const absl::Status status = translator_.Score(lines_, {"one"}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

TEST_F(TranslatorTest, WrongOptionsAreAnErrorThatNamesThem) {
  options_.beam = 0;
  const absl::Status status = translator_.Translate(lines_, options_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("beam"));
}

TEST_F(TranslatorTest, FourThreadsAtOnceGetTheSameResults) {
  const std::vector<Candidates> expected = Translate(lines_);
  std::vector<std::vector<Candidates>> found(4);
  std::vector<std::thread> threads;
  for (std::vector<Candidates>& mine : found) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3; ++i) mine = Translate(lines_);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<Candidates>& one : found) ExpectSame(one, expected);
}

TEST_F(TranslatorTest, LoadedFromARunTranslatesTheSame) {
  TemporaryFolder folder;
  const RunFolder run = Write(folder);
  for (const std::string& path : {run.path, run.Latest()}) {
    const absl::StatusOr<Translator> loaded = Translator::Load({path});
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    const absl::StatusOr<std::vector<Candidates>> found = loaded->Translate(lines_, options_);
    ASSERT_TRUE(found.ok()) << found.status();
    ExpectSame(*found, Translate(lines_));
  }
}

TEST_F(TranslatorTest, ALanguageModelGoesOnWithTexts) {
  const Translator speaker =
      ModelTranslator(TinyModel(LanguageModelOptions(), torch::kFloat32), std::nullopt, tokenizer_);
  EXPECT_EQ(speaker.source_kind(), SourceKind::kNone);
  options_.min_length = 3;
  const auto found = speaker.Translate({"", "der alte", ""}, options_);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_GE((*found)[0][0].tokens.size(), 3u);
  EXPECT_THAT((*found)[1][0].text, ::testing::StartsWith("der alte "));
  EXPECT_EQ((*found)[2][0].text, (*found)[0][0].text);
  EXPECT_NEAR(LogProbabilities(speaker, {}, {(*found)[1][0].text})[0],
              (*found)[1][0].log_probability, 1e-4);
  EXPECT_TRUE(absl::IsInvalidArgument(speaker.Score({"rot"}, {"rot"}).status()));
  options_.sample = true;
  options_.n_best = 4;
  const auto sampled = speaker.Translate({"", "der alte"}, options_);
  ASSERT_TRUE(sampled.ok()) << sampled.status();
  for (const Candidate& candidate : (*sampled)[1])
    EXPECT_THAT(candidate.text, ::testing::StartsWith("der alte "));
}

TEST_F(TranslatorTest, ScoresWithALanguageModelAreWeightedSums) {
  TemporaryFolder folder, other;
  const RunFolder run = Write(folder);
  const Model model = TinyModel(LanguageModelOptions(), torch::kFloat32, 5);
  const RunFolder language_model = WriteRun(other, LanguageModelOptions(), *model);
  other.Write("target.model", tokenizer_.model());
  LoadOptions load;
  load.language_model = other.path();
  const absl::StatusOr<Translator> fused = Translator::Load({run.path}, load);
  ASSERT_TRUE(fused.ok()) << fused.status();
  const Translator speaker = ModelTranslator(model, std::nullopt, tokenizer_);
  const std::vector<std::string> targets(lines_.rbegin(), lines_.rend());
  const auto together = LogProbabilities(*fused, lines_, targets);
  const auto translated = LogProbabilities(translator_, lines_, targets);
  const auto spoken = LogProbabilities(speaker, {}, targets);
  for (size_t i = 0; i < lines_.size(); ++i)
    EXPECT_NEAR(together[i], translated[i] + 0.2 * spoken[i], 1e-3);
  options_.language_model_weight = 0;
  const auto alone = fused->Translate(lines_, options_);
  ASSERT_TRUE(alone.ok()) << alone.status();
  ExpectSame(*alone, Translate(lines_));
}

TEST_F(TranslatorTest, WhatIsNoLanguageModelOfTheTargetIsAnErrorThatNamesTheRun) {
  TemporaryFolder folder, other;
  const RunFolder run = Write(folder);
  LoadOptions load;
  load.language_model = run.path;
  EXPECT_THAT(std::string(Translator::Load({run.path}, load).status().message()),
              AllOf(HasSubstr(run.path), HasSubstr("not a language model")));
  const Tokenizer tokenizer = *Learn("ein Hund\neine Katze\n", TokenizerKind::kWord);
  ModelOptions options = LanguageModelOptions();
  options.target_vocab = tokenizer.size();
  WriteRun(other, options, *Model(options));
  other.Write("target.model", tokenizer.model());
  load.language_model = other.path();
  EXPECT_THAT(std::string(Translator::Load({run.path}, load).status().message()),
              AllOf(HasSubstr(other.path()), HasSubstr("tokenizer"), HasSubstr(run.path)));
}

TEST_F(TranslatorTest, EnsembleOfOneRunTwiceTranslatesTheSame) {
  TemporaryFolder folder;
  const RunFolder run = Write(folder);
  const absl::StatusOr<Translator> twice = Translator::Load({run.path, run.path});
  ASSERT_TRUE(twice.ok()) << twice.status();
  const absl::StatusOr<std::vector<Candidates>> found = twice->Translate(lines_, options_);
  ASSERT_TRUE(found.ok()) << found.status();
  ExpectSame(*found, Translate(lines_));
}

TEST_F(TranslatorTest, EnsembleOfOtherTokenizersIsAnErrorThatNamesTheRun) {
  TemporaryFolder folder, other;
  const RunFolder run = Write(folder);
  Write(other);
  other.Write("source.model", Learn("ein Hund\neine Katze\n", TokenizerKind::kWord)->model());
  ModelConfig config = {Options()};
  config.model.source_vocab = Learn("ein Hund\neine Katze\n", TokenizerKind::kWord)->size();
  Model model(config.model);
  other.Write("config.yaml", PrintOptions(ListOptions(config)));
  ASSERT_TRUE(
      WriteTensors(RunFolder{other.path()}.Step(1) + kWeightsFile, Parameters(*model)).ok());
  const absl::Status status = Translator::Load({run.path, other.path()}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(other.path()), HasSubstr(run.path)));
}

TEST_F(TranslatorTest, AlignmentsAreThoseOfEachSentenceAlone) {
  EXPECT_THAT(Translate({lines_[0]})[0][0].alignment.weights, IsEmpty());
  options_.attention = true;
  std::vector<std::string> lines = lines_;
  lines.insert(lines.begin() + 1, "");
  const std::vector<Candidates> found = Translate(lines);
  EXPECT_THAT(found[1][0].alignment.weights, IsEmpty());
  for (size_t i = 0; i < lines.size(); ++i) {
    const Alignment& alignment = found[i][0].alignment;
    if (lines[i].empty()) continue;
    ASSERT_THAT(alignment.weights, SizeIs(found[i][0].tokens.size() + 1));
    const Alignment alone = Translate({lines[i]})[0][0].alignment;
    EXPECT_EQ(alignment.source, alone.source);
    EXPECT_EQ(alignment.source.back(), "</s>");
    for (size_t step = 0; step < alignment.weights.size(); ++step) {
      ASSERT_THAT(alignment.weights[step], SizeIs(alignment.source.size()));
      double sum = 0;
      for (size_t j = 0; j < alignment.source.size(); ++j) {
        sum += static_cast<double>(alignment.weights[step][j]);
        EXPECT_NEAR(alignment.weights[step][j], alone.weights[step][j], 1e-5);
      }
      EXPECT_NEAR(sum, 1, 1e-5);
    }
  }
}

TEST_F(TranslatorTest, BatchesKeepToTheirTokens) {
  const std::vector<Candidates> expected = Translate(lines_);
  translator_ = translator_.With({.batch_tokens = 1});  // Each sentence alone, however long.
  ExpectSame(Translate(lines_), expected);
  translator_ = translator_.With({.batch_tokens = 20});
  ExpectSame(Translate(lines_), expected);
}

TEST_F(TranslatorTest, RequestsGetWhatTheyWishFor) {
  const std::string word = tokenizer_.Decode({kEosId + 5}), other = tokenizer_.Decode({kEosId + 9});
  ASSERT_FALSE(word.empty());
  options_.forbidden = {tokenizer_.Decode({kEosId + 7})};
  std::vector<Request> requests;
  for (const std::string& line : lines_) requests.push_back({line, other, {word}, {}});
  for (const TranslationResult& found : translator_.TranslateRequests(requests, options_)) {
    ASSERT_TRUE(found.ok()) << found.status();
    const std::vector<std::string> words = absl::StrSplit((*found)[0].text, ' ');
    EXPECT_EQ(words[0], other);
    EXPECT_THAT(words, ::testing::Contains(word));
    EXPECT_THAT(words, ::testing::Not(::testing::Contains(options_.forbidden[0])));
  }
}

TEST_F(TranslatorTest, WrongRequestsFailAlone) {
  options_.groups = options_.beam;
  SearchOptions sample = options_;
  sample.groups = 1;
  sample.sample = true;
  TranslatorOptions bounds;
  bounds.limits.max_constraints = 2;
  bounds.limits.max_wishes = 20;
  translator_ = translator_.With(bounds);
  for (const SearchOptions& options : {options_, sample}) {
    const std::vector<TranslationResult> found = translator_.TranslateRequests(
        {{lines_[0], {}, {}, {}}, {lines_[1], {}, {"der"}, {}}, {lines_[2], {}, {}, {}}}, options);
    ASSERT_EQ(found.size(), 3u);
    EXPECT_THAT(std::string(found[1].status().message()), HasSubstr("constraints"));
    ASSERT_TRUE(found[0].ok() && found[2].ok());
    ExpectSame({*found[0], *found[2]}, Translate({lines_[0], lines_[2]}, options));
  }
  options_.groups = 1;
  const auto error = [&](const Request& request) {
    return std::string(translator_.CheckRequests({request}, options_).message());
  };
  EXPECT_EQ(error({lines_[0], {}, {"der", "die"}, {}}), "");
  EXPECT_THAT(error({lines_[0], {}, {"der", "der", "der"}, {}}),
              AllOf(HasSubstr("constraints"), HasSubstr("max_constraints"), HasSubstr("found 3")));
  EXPECT_THAT(error({lines_[0], "der Hund rennt", {"der Hund"}, {}}),
              AllOf(HasSubstr("prefix"), HasSubstr("max_wishes"), HasSubstr("found 22 bytes")));
  options_.forbidden = {"der alte Mann rennt im Garten"};
  EXPECT_THAT(error({lines_[0], {}, {}, {}}), HasSubstr("found 29 bytes"));
}

TEST_F(TranslatorTest, InterruptedRequestsFailAlone) {
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  std::vector<Request> requests;
  for (size_t i = 0; i < 5; ++i) requests.push_back({lines_[i], {}, {}, {}});
  requests[1].interrupt.deadline = Interrupt::Clock::now();
  requests[2].interrupt.cancelled = cancelled;
  requests[2].on_text = [&](const std::string&) { *cancelled = true; };
  requests[3].interrupt.deadline = Interrupt::Clock::now() + std::chrono::hours(1);
  options_.beam = 1;
  options_.min_length = options_.max_length = 4;
  const std::vector<TranslationResult> found = translator_.TranslateRequests(requests, options_);
  EXPECT_TRUE(absl::IsDeadlineExceeded(found[1].status())) << found[1].status();
  EXPECT_TRUE(absl::IsCancelled(found[2].status())) << found[2].status();
  for (const size_t i : {0, 3, 4}) {
    ASSERT_TRUE(found[i].ok()) << found[i].status();
    ExpectSame({*found[i]}, Translate({lines_[i]}));
  }
}

TEST_F(TranslatorTest, BatchesKeepToTheirScores) {
  options_.beam = 4;
  const std::vector<Candidates> expected = Translate(lines_);
  translator_ = translator_.With({.batch_scores = 4 * tokenizer_.size()});  // Each sentence alone.
  ExpectSame(Translate(lines_), expected);
  // Sentences of a batch can be counted by when their texts grow: all of them together.
  translator_ = translator_.With({.batch_scores = 2 * tokenizer_.size()});
  options_.beam = 1;
  options_.min_length = options_.max_length = 3;
  std::vector<size_t> told;
  std::vector<Request> requests;
  for (size_t i = 0; i < 4; ++i)
    requests.push_back({lines_[0], {}, {}, [&told, i](const std::string&) { told.push_back(i); }});
  for (const TranslationResult& result : translator_.TranslateRequests(requests, options_))
    EXPECT_TRUE(result.ok());
  EXPECT_THAT(told, ElementsAre(0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3));
  options_.beam = 3;
  const absl::Status alone = translator_.CheckRequests({{lines_[0], {}, {}, {}}}, options_);
  EXPECT_THAT(std::string(alone.message()),
              AllOf(HasSubstr("beam: expected at most 2"), HasSubstr("found 3")));
  options_.sample = true;
  options_.n_best = 3;
  EXPECT_THAT(std::string(translator_.CheckRequests({{lines_[0], {}, {}, {}}}, options_).message()),
              HasSubstr("n_best: expected at most 2"));
}

TEST_F(TranslatorTest, WishesThatTheTokenizerLacksAreNamed) {
  const auto error = [&](const Request& request) {
    return std::string(translator_.CheckRequests({request}, options_).message());
  };
  EXPECT_EQ(error({lines_[0], "der", {"Hund"}, {}}), "");
  EXPECT_THAT(error({lines_[0], {}, {"Hund", "日本"}, {}}),
              AllOf(::testing::StartsWith("constraints:"), HasSubstr("'日本'")));
  EXPECT_THAT(error({lines_[0], "der 日本", {}, {}}),
              AllOf(::testing::StartsWith("prefix:"), HasSubstr("'der 日本'")));
  options_.forbidden = {"Hund"};
  EXPECT_THAT(error({lines_[0], {}, {"der Hund"}, {}}),
              AllOf(HasSubstr("constraints"), HasSubstr("'der Hund'"), HasSubstr("forbidden")));
  options_.forbidden = {"日本"};
  EXPECT_THAT(error({lines_[0], {}, {}, {}}),
              AllOf(::testing::StartsWith("forbidden:"), HasSubstr("'日本'")));
}

TEST(Translator, PrefixesAndConstraintsHoldAsWholeWords) {
  const Tokenizer tokenizer = *Learn(SampleText(), [] {
    TokenizerTrainOptions options;
    options.vocab_size = 45;
    return options;
  }());
  ModelOptions model = TinyOptions();
  model.source_vocab = model.target_vocab = tokenizer.size();
  const Translator translator =
      ModelTranslator(TinyModel(model, torch::kFloat32), tokenizer, tokenizer);
  std::vector<Request> requests;
  for (const absl::string_view line : absl::StrSplit(SampleText(), '\n', absl::SkipEmpty()))
    requests.push_back({std::string(line), "die Kat", {"im"}, {}});
  requests.resize(60);
  // The number of translations that contain each constraint as words.
  struct Counts {
    int prefix = 0, constraint = 0, forbidden = 0;
  };
  const auto count = [&](SearchOptions options) {
    options.max_length = 20;
    options.forbidden = {"der"};
    Counts counts;
    for (const TranslationResult& found : translator.TranslateRequests(requests, options)) {
      EXPECT_TRUE(found.ok()) << found.status();
      if (!found.ok()) continue;
      const std::string& text = (*found)[0].text;
      const std::vector<std::string> words = absl::StrSplit(text, absl::ByAnyChar(" ."));
      counts.prefix += words.size() > 1 && words[0] == "die" && words[1] == "Kat" ? 1 : 0;
      counts.constraint += std::count(words.begin(), words.end(), "im") > 0 ? 1 : 0;
      counts.forbidden += std::count(words.begin(), words.end(), "der") > 0 ? 1 : 0;
    }
    return counts;
  };
  SearchOptions options;
  const Counts whole = count(options);
  EXPECT_EQ(whole.prefix, 60);
  EXPECT_EQ(whole.constraint, 60);
  EXPECT_EQ(whole.forbidden, 0);
  options.partial_words = true;
  const Counts partial = count(options);
  EXPECT_LT(partial.prefix, 60);
  EXPECT_LT(partial.constraint, 60);
  EXPECT_EQ(partial.forbidden, 0);
}

TEST_F(TranslatorTest, EveryTextModelLoadsWithoutAModuleLoaderInEveryPrecision) {
  for (const AttentionKind attention : {AttentionKind::kMlp, AttentionKind::kMultiHead,
                                        AttentionKind::kCoverage, AttentionKind::kLocation}) {
    TemporaryFolder folder;
    ModelOptions options = Options();
    options.encoder.cell = options.decoder.cell = CellKind::kLayerNormLstm;
    options.decoder.attention = attention;
    options.decoder.context_gate = options.decoder.conditional = true;
    const RunFolder run = WriteRun(folder, options, *TinyModel(options, torch::kFloat32));
    folder.Write("source.model", tokenizer_.model());
    folder.Write("target.model", tokenizer_.model());
    for (const PrecisionChoice precision :
         {PrecisionChoice::kFp32, PrecisionChoice::kBf16, PrecisionChoice::kInt8}) {
      LoadOptions load;
      load.precision = precision;
      if (!HasPrecision(Resolve(precision))) continue;  // No bf16 on this processor.
      const absl::StatusOr<Translator> translator = Translator::Load({run.path}, load);
      ASSERT_TRUE(translator.ok()) << translator.status();
      EXPECT_THAT(translator->notes(), IsEmpty());
      EXPECT_TRUE(translator->Translate(lines_, options_).ok());
    }
  }
}

TEST_F(TranslatorTest, TextsAreStreamedAsTheyGrow) {
  SearchOptions greedy = options_, wide = options_, groups = options_, one = options_,
                samples = options_;
  greedy.beam = 1;
  groups.beam = groups.groups = 4;
  one.sample = samples.sample = true;
  samples.n_best = 3;
  for (const SearchOptions& options : {greedy, wide, groups, one, samples}) {
    std::vector<std::vector<std::string>> texts(lines_.size());
    std::vector<Request> requests;
    for (size_t i = 0; i < lines_.size(); ++i) {
      requests.push_back(
          {lines_[i], i % 2 == 0 ? "der" : "", {}, [&texts, i](const std::string& text) {
             texts[i].push_back(text);
           }});
    }
    const std::vector<TranslationResult> found = translator_.TranslateRequests(requests, options);
    for (size_t i = 0; i < lines_.size(); ++i) {
      ASSERT_TRUE(found[i].ok()) << found[i].status();
      const Candidate& best = (*found[i])[0];
      if (options == greedy || options == one) {
        EXPECT_THAT(texts[i], SizeIs(best.tokens.size()));
      }
      EXPECT_EQ(texts[i].empty() ? "" : texts[i].back(), best.text);
      for (size_t k = 1; k < texts[i].size(); ++k) {
        EXPECT_GT(texts[i][k].size(), texts[i][k - 1].size());
        EXPECT_THAT(texts[i][k], StartsWith(texts[i][k - 1]));
      }
    }
  }
}

TEST_F(TranslatorTest, ImagesNeedLibTorchForScriptsAlone) {
  ModelOptions options = Options();
  options.source = SourceKind::kImage;
  options.image.channels = 4;
  options.image.network.kind = ImageNetworkKind::kFeatures;
  const Model model = TinyModel(options, torch::kFloat32);
  const TemporaryFolder features;
  WriteRun(features, options, *model);
  features.Write("target.model", tokenizer_.model());
  const auto translator = Translator::Load({features.path()}, LoadOptions());
  ASSERT_TRUE(translator.ok()) << translator.status();
  const std::string file = features / "features.safetensors";
  ASSERT_TRUE(WriteTensors(file, {{"features", torch::rand({5, 4})}}).ok());
  EXPECT_TRUE(translator->Translate({file}, options_).ok());
  ASSERT_TRUE(WriteTensors(file, {{"features", torch::rand({5, 3})}}).ok());
  EXPECT_THAT(std::string(translator->Translate({file}, options_).status().message()),
              AllOf(HasSubstr(file), HasSubstr("[5, 3]"), HasSubstr("4 channels")));

  const TemporaryFolder scripts;
  options.image.network.kind = ImageNetworkKind::kTorchscript;
  options.image.network.path = "network.pt";
  WriteRun(scripts, options, *model);
  scripts.Write("target.model", tokenizer_.model());
  const absl::Status refused = Translator::Load({scripts.path()}, LoadOptions()).status();
  EXPECT_TRUE(absl::IsUnimplemented(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr(scripts.path()), HasSubstr("model.image.network.kind=torchscript")));
}

TEST_F(TranslatorTest, SamplesOfTheSameSeedAreTheSame) {
  options_.sample = true;
  options_.n_best = 3;
  const std::vector<Candidates> expected = Translate(lines_);
  translator_ = translator_.With({.batch_size = 3});
  ExpectSame(Translate(lines_), expected);
  options_.seed = 2;
  size_t same = 0;
  const std::vector<Candidates> other = Translate(lines_);
  for (size_t i = 0; i < other.size(); ++i) same += other[i][0].text == expected[i][0].text ? 1 : 0;
  EXPECT_LT(same, other.size() / 2);
}

TEST_F(TranslatorTest, StreamsComeInOrderAndInGrowingBlocks) {
  const std::vector<Candidates> expected = Translate(lines_);
  translator_ = translator_.With({.batch_size = 2});
  std::vector<Candidates> found;
  size_t next = 0;
  const absl::Status status = translator_.TranslateStream(
      [&](size_t most) -> absl::StatusOr<std::vector<Request>> {
        EXPECT_EQ(found.size(), next) << "read ahead of what is written";
        EXPECT_LE(most, 32u);
        std::vector<Request> requests;
        for (; requests.size() < std::min<size_t>(most, 5) && next < lines_.size(); ++next)
          requests.push_back({lines_[next], {}, {}, {}});
        return requests;
      },
      [&](const Request& request, const Candidates& candidates) {
        EXPECT_EQ(request.text, lines_[found.size()]);
        found.push_back(candidates);
        return absl::OkStatus();
      },
      options_);
  ASSERT_TRUE(status.ok()) << status;
  ExpectSame(found, expected);
}

TEST_F(TranslatorTest, AStreamGoesOnInTheBlocksThatItWouldHaveHad) {
  translator_ = translator_.With({.batch_size = 3});  // Blocks of 16, 32, 48, 48, …
  EXPECT_EQ(translator_.BlockStart(0), 0);
  EXPECT_EQ(translator_.BlockStart(15), 0);
  EXPECT_EQ(translator_.BlockStart(47), 16);
  EXPECT_EQ(translator_.BlockStart(48), 48);
  EXPECT_EQ(translator_.BlockStart(150), 144);
  for (const auto& [first, sizes] : std::vector<std::pair<int64_t, std::vector<size_t>>>{
           {0, {16, 32, 48}}, {48, {48, 48, 48}}}) {
    std::vector<size_t> found;
    const auto read = [&found](size_t most) -> absl::StatusOr<std::vector<Request>> {
      found.push_back(most);
      return std::vector<Request>(found.size() < 3 ? 1 : 0);
    };
    const auto write = [](const Request&, const Candidates&) { return absl::OkStatus(); };
    ASSERT_TRUE(translator_.TranslateStream(read, write, options_, first).ok());
    EXPECT_EQ(found, sizes);
  }
}

TEST_F(TranslatorTest, StreamsEndWithTheFirstError) {
  const auto read = [&](size_t) -> absl::StatusOr<std::vector<Request>> {
    return std::vector<Request>{{lines_[0], {}, {}, {}}};
  };
  const auto full = [](const Request&, const Candidates&) { return absl::DataLossError("full"); };
  EXPECT_TRUE(absl::IsDataLoss(translator_.TranslateStream(read, full, options_)));
}

TEST_F(TranslatorTest, LoadNamesWhatIsMissingOrDoesNotFit) {
  TemporaryFolder folder;
  const auto error = [](const std::string& path) {
    return std::string(Translator::Load({path}).status().message());
  };
  EXPECT_THAT(error(folder / "none"), HasSubstr(folder / "none"));
  const RunFolder run = Write(folder);

  folder.Write("target.model", Learn("ein Hund\neine Katze\n", TokenizerKind::kWord)->model());
  EXPECT_THAT(error(run.path), AllOf(HasSubstr(run.path), HasSubstr("subwords"),
                                     HasSubstr(std::to_string(tokenizer_.size()))));
  folder.Write("target.model", "garbage");
  EXPECT_THAT(error(run.path), HasSubstr(run.TargetTokenizer()));
  std::filesystem::remove(run.SourceTokenizer());
  EXPECT_THAT(error(run.path), HasSubstr(run.SourceTokenizer()));
}

// A run of a model that nearly always copies, with a shortlist of the end of a sentence alone.
class CopyingTest : public ::testing::Test {
 protected:
  CopyingTest() {
    std::string text;
    for (int i = 0; i < 60; ++i) absl::StrAppend(&text, "w", i, i % 4 == 3 ? "\n" : " ");
    tokenizer_ = Learn(text, TokenizerKind::kWord);
    run_ = Write(folder_, /*copies=*/true);
    const Array translations = Array::Empty(ArrayType::kInt32, {tokenizer_->size(), 1});
    std::fill_n(translations.values<int32_t>(), tokenizer_->size(), 0);
    const Array frequent = Array::Empty(ArrayType::kInt32, {1});
    *frequent.values<int32_t>() = kEosId;
    EXPECT_TRUE(
        Shortlist(translations, frequent, {}, tokenizer_->size()).Save(run_.Shortlist()).ok());
  }

  RunFolder Write(const TemporaryFolder& folder, bool copies) const {
    ModelOptions options = TinyOptions();
    options.source_vocab = options.target_vocab = tokenizer_->size();
    options.decoder.copy = copies;
    const Model model = TinyModel(options, torch::kFloat32);
    if (copies) {
      const torch::NoGradGuard no_grad;
      Parameters(*model).at("decoder.copy_gate.bias").fill_(20);
    }
    folder.Write("source.model", tokenizer_->model());
    folder.Write("target.model", tokenizer_->model());
    return WriteRun(folder, options, *model);
  }

  Candidate Best(const std::vector<std::string>& runs, const LoadOptions& load) const {
    const auto translator = Translator::Load(runs, load);
    EXPECT_TRUE(translator.ok()) << translator.status();
    if (!translator.ok()) return {};
    SearchOptions search;
    search.min_length = search.max_length = 4;
    const auto found = translator->Translate({line_}, search);
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() ? (*found)[0][0] : Candidate();
  }

  // The probabilities of all first words of a translation of one word.
  std::map<int32_t, double> FirstWords(const std::vector<std::string>& runs) const {
    const auto translator = Translator::Load(runs, {.shortlist = false});
    EXPECT_TRUE(translator.ok()) << translator.status();
    SearchOptions search;
    search.min_length = search.max_length = 1;
    search.beam = search.n_best = tokenizer_->size();
    const auto found = translator->Translate({line_}, search);
    EXPECT_TRUE(found.ok()) << found.status();
    std::map<int32_t, double> probabilities;
    for (const Candidate& candidate : (*found)[0])
      probabilities[candidate.tokens.at(0)] = std::exp(candidate.token_scores.at(0));
    return probabilities;
  }

  const std::string line_ = "w7 w19 w23";
  const TemporaryFolder folder_;
  std::optional<Tokenizer> tokenizer_;
  RunFolder run_;
};

TEST_F(CopyingTest, SaysWordsThatTheShortlistLeavesOut) {
  const Candidate with = Best({run_.path}, {.shortlist = true});
  ASSERT_FALSE(with.tokens.empty());
  const TokenIds source = tokenizer_->Encode(line_);
  for (const int32_t token : with.tokens) EXPECT_THAT(source, ::testing::Contains(token));
  EXPECT_EQ(with.tokens, Best({run_.path}, {.shortlist = false}).tokens);
}

TEST_F(CopyingTest, CopiesInAnEnsembleWithAModelThatDoesNot) {
  const TemporaryFolder other;
  const RunFolder plain = Write(other, /*copies=*/false);
  const Candidate alone = Best({run_.path}, {.shortlist = false});
  const Candidate not_copied = Best({plain.path}, {.shortlist = false});
  EXPECT_NE(alone.tokens, not_copied.tokens);
  for (const bool first : {true, false}) {  // The copying model, whose weight is nearly all.
    const std::vector<std::string> runs =
        first ? std::vector{run_.path, plain.path} : std::vector{plain.path, run_.path};
    const std::vector<double> weights = first ? std::vector{1.0, 1e-9} : std::vector{1e-9, 1.0};
    const Candidate both = Best(runs, {.weights = weights, .shortlist = false});
    EXPECT_EQ(both.tokens, alone.tokens);
    EXPECT_NEAR(both.score, alone.score, 1e-5);
  }

  // With equal weights, the probability of a first word is the mean of both models'.
  const auto copied = FirstWords({run_.path}), said = FirstWords({plain.path});
  const auto mean = FirstWords({run_.path, plain.path});
  EXPECT_GT(mean.size(), 10);
  for (const auto& [token, probability] : mean)
    EXPECT_NEAR(probability, (copied.at(token) + said.at(token)) / 2, 1e-5) << token;
}

TEST_F(CopyingTest, CopiesFromWeightsOf8Bits) {
  const Candidate full = Best({run_.path}, {.shortlist = false});
  const std::string file = run_.Step(1) + kWeightsFile;
  const auto weights = ReadArrays(file);
  ASSERT_TRUE(weights.ok()) << weights.status();
  ASSERT_TRUE(WriteArrays(file, QuantizeWeights(*weights, Precision::kInt8)).ok());
  const Candidate rounded = Best({run_.path}, {.shortlist = false});
  EXPECT_EQ(rounded.tokens, full.tokens);
  EXPECT_NE(rounded.score, full.score);
  EXPECT_NEAR(rounded.score, full.score, 0.2);
}

TEST_F(TranslatorTest, ModelsOfMaskedSubwordsAreRefused) {
  ModelOptions options = Options();
  options.decoder.kind = DecoderKind::kHead;
  options.decoder.hidden = options.encoder.embedding;
  options.decoder.tied_embeddings = options.shared_embeddings = true;
  TemporaryFolder folder;
  const RunFolder run = WriteRun(folder, options, *Model(options));
  EXPECT_EQ(Translator::Load({run.path}).status().message(),
            run.path +
                " was trained with train.objective masked: it has no decoder; train "
                "another run from it with train.init_from");
}

}  // namespace
}  // namespace seq2seq
