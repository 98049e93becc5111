#include "seq2seq/search/batching_translator.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tiny_model.h"
#include "tests/tokenizer/learn.h"

namespace seq2seq {
namespace {

using Result = std::future<absl::StatusOr<std::vector<Candidate>>>;

class BatchingTranslatorTest : public ::testing::Test {
 protected:
  ModelOptions Options() const {
    ModelOptions options = TinyOptions();
    options.source_vocab = options.target_vocab = tokenizer_.size();
    return options;
  }

  Translator MakeTranslator() const { return Translator(model_, tokenizer_, tokenizer_); }

  // A request that keeps the worker busy until `release` is set.
  Request Blocker(std::shared_future<void> release) const {
    return {"der Hund", {}, {}, [release](const std::string&) { release.wait(); }};
  }

  static SearchOptions Greedy() {
    SearchOptions options;
    options.beam = 1;
    options.min_length = 1;
    options.max_length = 5;
    return options;
  }

  const Tokenizer tokenizer_ = *Learn(SampleText(), TokenizerKind::kWord);
  const Model model_ = TinyModel(Options(), torch::kFloat32);
  std::promise<void> release_;
};

TEST_F(BatchingTranslatorTest, RequestsThatWaitTogetherAreOneBatch) {
  const Translator translator = MakeTranslator();
  BatchingTranslator batching(translator, {});
  Result blocked = batching.Translate(Blocker(release_.get_future().share()), Greedy(), {});
  while (batching.counts().waiting > 0) std::this_thread::yield();
  const std::vector<std::string> lines = {"der Hund rennt", "das Kind", "die Katze", "ein Hund"};
  std::vector<Result> results;
  SearchOptions other = Greedy();
  other.max_length = 4;
  for (const std::string& line : lines) {
    results.push_back(batching.Translate({line, {}, {}, {}}, Greedy(), {}));
    results.push_back(batching.Translate({line, {}, {}, {}}, other, {}));
  }
  EXPECT_EQ(batching.counts().waiting, 8);
  release_.set_value();
  for (size_t i = 0; i < results.size(); ++i) {
    const auto found = results[i].get();
    ASSERT_TRUE(found.ok()) << found.status();
    const auto expected = translator.Translate({lines[i / 2]}, i % 2 == 0 ? Greedy() : other);
    EXPECT_EQ((*found)[0].text, (*expected)[0][0].text);
  }
  EXPECT_TRUE(blocked.get().ok());
  EXPECT_EQ(batching.counts().requests, 9);
  EXPECT_EQ(batching.counts().batches, 3);  // The first one, and one for each search.
}

TEST_F(BatchingTranslatorTest, FullQueueLateAndCancelledRequestsAreRefused) {
  BatchingTranslator batching(MakeTranslator(), {.queue = 3});
  Result blocked = batching.Translate(Blocker(release_.get_future().share()), Greedy(), {});
  while (batching.counts().waiting > 0) std::this_thread::yield();
  BatchingTranslator::Limits late, unwanted;
  late.deadline = BatchingTranslator::Clock::now();
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  unwanted.cancelled = cancelled;
  Result first = batching.Translate({"der Hund", {}, {}, {}}, Greedy(), late);
  Result second = batching.Translate({"der Hund", {}, {}, {}}, Greedy(), unwanted);
  Result third = batching.Translate({"der Hund", {}, {}, {}}, Greedy(), {});
  Result fourth = batching.Translate({"der Hund", {}, {}, {}}, Greedy(), {});
  EXPECT_TRUE(absl::IsResourceExhausted(fourth.get().status()));
  *cancelled = true;
  release_.set_value();
  EXPECT_TRUE(absl::IsDeadlineExceeded(first.get().status()));
  EXPECT_TRUE(absl::IsCancelled(second.get().status()));
  EXPECT_TRUE(third.get().ok());
}

TEST_F(BatchingTranslatorTest, WrongOptionsAreTheCallersError) {
  BatchingTranslator batching(MakeTranslator(), {});
  SearchOptions wrong = Greedy();
  wrong.beam = 0;
  const auto result = batching.Translate({"der Hund", {}, {}, {}}, wrong, {}).get();
  EXPECT_TRUE(absl::IsInvalidArgument(result.status()));
}

TEST_F(BatchingTranslatorTest, FinishesWhatWaitsAtItsEnd) {
  std::vector<Result> results;
  {
    BatchingTranslator batching(MakeTranslator(), {});
    for (int i = 0; i < 20; ++i)
      results.push_back(batching.Translate({"der Hund", {}, {}, {}}, Greedy(), {}));
  }
  for (Result& result : results) EXPECT_TRUE(result.get().ok());
}

}  // namespace
}  // namespace seq2seq
