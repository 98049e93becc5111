#include "seq2seq/search/batching_translator.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/search/model_translator.h"
#include "tests/testing/learn.h"
#include "tests/testing/tiny_model.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

using Future = BatchingTranslator::Future;

class BatchingTranslatorTest : public ::testing::Test {
 protected:
  ModelOptions Options() const {
    ModelOptions options = TinyOptions();
    options.source_vocab = options.target_vocab = tokenizer_.size();
    return options;
  }

  Translator MakeTranslator() const { return ModelTranslator(model_, tokenizer_, tokenizer_); }

  // The future of one request, which must be taken.
  static Future Take(BatchingTranslator& batching, Request request, const SearchOptions& options) {
    auto waiting = batching.Translate({std::move(request)}, options);
    EXPECT_TRUE(waiting.ok()) << waiting.status();
    return std::move((*waiting)[0]);
  }

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
  Future blocked = Take(batching, Blocker(release_.get_future().share()), Greedy());
  while (batching.counts().waiting > 0) std::this_thread::yield();
  const std::vector<std::string> lines = {"der Hund rennt", "das Kind", "die Katze", "ein Hund"};
  std::vector<Future> results;
  SearchOptions other = Greedy();
  other.max_length = 4;
  for (const std::string& line : lines) {
    results.push_back(Take(batching, {line, {}, {}, {}}, Greedy()));
    results.push_back(Take(batching, {line, {}, {}, {}}, other));
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

TEST_F(BatchingTranslatorTest, LateAndCancelledRequestsMakeRoomAndAreNotSearched) {
  BatchingTranslator batching(MakeTranslator(), {.queue = 3});
  Future blocked = Take(batching, Blocker(release_.get_future().share()), Greedy());
  while (batching.counts().waiting > 0) std::this_thread::yield();
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  Request late = {"der Hund", {}, {}, {}}, unwanted = late;
  late.interrupt.deadline = Interrupt::Clock::now();
  unwanted.interrupt.cancelled = cancelled;
  Future first = Take(batching, late, Greedy());
  Future second = Take(batching, unwanted, Greedy());
  Future third = Take(batching, {"der Hund", {}, {}, {}}, Greedy());
  Future fourth = Take(batching, {"der Hund", {}, {}, {}}, Greedy());  // In the place of the first.
  EXPECT_TRUE(absl::IsDeadlineExceeded(first.get().status()));
  EXPECT_TRUE(
      absl::IsResourceExhausted(batching.Translate({{"der Hund", {}, {}, {}}}, Greedy()).status()));
  *cancelled = true;
  release_.set_value();
  EXPECT_TRUE(absl::IsCancelled(second.get().status()));
  EXPECT_TRUE(third.get().ok());
  EXPECT_TRUE(fourth.get().ok());
  EXPECT_TRUE(blocked.get().ok());
  EXPECT_EQ(batching.counts().requests, 3);
}

TEST_F(BatchingTranslatorTest, RequestsEndInTheMidstOfTheirSearch) {
  BatchingTranslator batching(MakeTranslator(), {});
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  int told = 0;
  Request request = {"der Hund", {}, {}, [&](const std::string&) { *cancelled = ++told == 3; }};
  request.interrupt.cancelled = cancelled;
  SearchOptions endless = Greedy();
  endless.min_length = endless.max_length = 10'000;
  EXPECT_TRUE(absl::IsCancelled(Take(batching, std::move(request), endless).get().status()));
  EXPECT_EQ(told, 3);
}

TEST_F(BatchingTranslatorTest, RequestsOfACallAreTakenAllOrNone) {
  BatchingTranslator batching(MakeTranslator(), {.queue = 3});
  Future blocked = Take(batching, Blocker(release_.get_future().share()), Greedy());
  while (batching.counts().waiting > 0) std::this_thread::yield();
  const Request request = {"der Hund", {}, {}, {}};
  Request wrong = request;
  wrong.constraints.resize(1000, "Hund");
  const auto two = batching.Translate({request, request}, Greedy());
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_THAT(*two, SizeIs(2));
  EXPECT_TRUE(absl::IsResourceExhausted(batching.Translate({request, request}, Greedy()).status()));
  EXPECT_TRUE(absl::IsOutOfRange(
      batching.Translate({request, request, request, request}, Greedy()).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(batching.Translate({request, wrong}, Greedy()).status()));
  EXPECT_EQ(batching.counts().waiting, 2);
  release_.set_value();
}

TEST_F(BatchingTranslatorTest, ASingleRequestDoesNotWaitForACallOfMany) {
  const Translator translator = MakeTranslator().With({.batch_size = 2});
  BatchingTranslator batching(translator, {});
  Future blocked = Take(batching, Blocker(release_.get_future().share()), Greedy());
  while (batching.counts().waiting > 0) std::this_thread::yield();
  std::vector<std::string> order;  // Of the worker's thread, until all are done.
  const auto request = [&](const std::string& name) {
    return Request{"der Hund", {}, {}, [&order, name](const std::string&) {
                     if (order.empty() || order.back() != name) order.push_back(name);
                   }};
  };
  auto many =
      batching.Translate({request("1"), request("2"), request("3"), request("4")}, Greedy());
  ASSERT_TRUE(many.ok()) << many.status();
  Future single = Take(batching, request("single"), Greedy());
  release_.set_value();
  EXPECT_TRUE(single.get().ok());
  for (Future& future : *many) EXPECT_TRUE(future.get().ok());
  const auto place = [&](const std::string& name) {
    return std::find(order.begin(), order.end(), name) - order.begin();
  };
  EXPECT_LT(place("single"), place("3"));
  EXPECT_LT(place("single"), place("4"));
}

TEST_F(BatchingTranslatorTest, ShortTextsAreNotInOneBatchWithLongOnes) {
  BatchingTranslator batching(MakeTranslator(), {});
  std::string text = "der Hund rennt";
  while (text.size() < 1000) absl::StrAppend(&text, " und das Kind rennt");
  auto waiting = batching.Translate(
      {{"der Hund", {}, {}, {}}, {text, {}, {}, {}}, {"das Kind", {}, {}, {}}}, Greedy());
  ASSERT_TRUE(waiting.ok()) << waiting.status();
  for (Future& future : *waiting) EXPECT_TRUE(future.get().ok());
  EXPECT_EQ(batching.counts().batches, 2);
}

TEST_F(BatchingTranslatorTest, ABatchOfLongTextsIsSmall) {
  const Translator translator = MakeTranslator().With({.batch_tokens = 1000});  // Some 4,000 bytes.
  BatchingTranslator batching(translator, {});
  std::string text;
  while (text.size() < 1500) absl::StrAppend(&text, "das Kind rennt ");
  auto waiting = batching.Translate(std::vector<Request>(5, Request{text, {}, {}, {}}), Greedy());
  ASSERT_TRUE(waiting.ok()) << waiting.status();
  for (Future& future : *waiting) EXPECT_TRUE(future.get().ok());
  EXPECT_EQ(batching.counts().batches, 3);  // Of two texts at most.
}

TEST_F(BatchingTranslatorTest, WrongRequestsFailNoOthers) {
  BatchingTranslator batching(MakeTranslator(), {});
  Future blocked = Take(batching, Blocker(release_.get_future().share()), Greedy());
  SearchOptions groups = Greedy();
  groups.beam = groups.groups = 3;
  Future right = Take(batching, {"der Hund", {}, {}, {}}, groups);
  const absl::Status wrong = batching.Translate({{"Hund", {}, {"der"}, {}}}, groups).status();
  EXPECT_THAT(std::string(wrong.message()), HasSubstr("constraints"));
  groups.beam = 0;
  EXPECT_TRUE(
      absl::IsInvalidArgument(batching.Translate({{"der Hund", {}, {}, {}}}, groups).status()));
  release_.set_value();
  EXPECT_TRUE(right.get().ok());
}

TEST_F(BatchingTranslatorTest, FinishesWhatWaitsAtItsEnd) {
  std::vector<Future> results;
  {
    BatchingTranslator batching(MakeTranslator(), {});
    for (int i = 0; i < 20; ++i)
      results.push_back(Take(batching, {"der Hund", {}, {}, {}}, Greedy()));
  }
  for (Future& result : results) EXPECT_TRUE(result.get().ok());
}

}  // namespace
}  // namespace seq2seq
