#include "seq2seq/data/pair_encoder.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/testing/learn.h"
#include "tests/testing/temporary_folder.h"

namespace seq2seq {
namespace {

using ::testing::HasSubstr;

// Pairs of a number and a word.
class PairEncoderTest : public ::testing::Test {
 protected:
  // Encodes `lines` pairs, the sources with `encode`.
  absl::Status Run(int lines, int threads, SourceEncoder encode,
                   absl::FunctionRef<absl::Status(const EncodedPairs&)> write) {
    std::string table;
    for (int i = 0; i < lines; ++i) absl::StrAppend(&table, i, "\tdie\n");
    absl::StatusOr<PairReader> reader =
        PairReader::Open({folder_.Write("a.tsv", table)}, true, kMaxLineBytes);
    if (!reader.ok()) return reader.status();
    const FilterOptions filter;
    return PairEncoder(*reader, encode, target_, filter).Run(threads, write);
  }

  const TemporaryFolder folder_;
  const Tokenizer target_ = *Learn(SampleText(), TokenizerKind::kWord);
};

SourceEncoder Number() {
  return {.encode = [](const std::string& line) { return std::vector<int32_t>{std::stoi(line)}; }};
}

TEST_F(PairEncoderTest, WritesAllInOrderFromOneThreadAtATime) {
  for (const int threads : {1, 3}) {
    int32_t next = 0;
    int64_t pairs = 0;
    const absl::Status status = Run(12'345, threads, Number(), [&](const EncodedPairs& written) {
      size_t id = 0;
      for (const auto& [source, target] : written.lengths) {
        EXPECT_EQ(written.ids[id], next++);
        id += source + target;
      }
      EXPECT_EQ(id, written.ids.size());
      pairs += written.counts.pairs;
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(next, 12'345);
    EXPECT_EQ(pairs, 12'345);
  }
}

TEST_F(PairEncoderTest, ThreadsEncodeAtTheSameTime) {
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::thread::id> threads;
  const SourceEncoder meet = {.encode = [&](const std::string&) {
    std::unique_lock<std::mutex> lock(mutex);
    threads.insert(std::this_thread::get_id());
    changed.notify_all();
    changed.wait_for(lock, std::chrono::seconds(30), [&] { return threads.size() == 3; });
    return std::vector<int32_t>{1};
  }};
  const auto ignore = [](const EncodedPairs&) { return absl::OkStatus(); };
  EXPECT_TRUE(Run(2500, 3, meet, ignore).ok());
  EXPECT_EQ(threads.size(), 3);
}

TEST_F(PairEncoderTest, TheFirstErrorIsThatOfTheFirstLine) {
  // The error of the later line comes first.
  const SourceEncoder fail = {.encode = [](const std::string& line) {
    if (line == "1500") {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      throw std::runtime_error("early");
    }
    if (line == "2500") throw std::runtime_error("late");
    return std::vector<int32_t>{1};
  }};
  for (const int threads : {1, 2, 4}) {
    int64_t written = 0;
    const absl::Status status = Run(20'000, threads, fail, [&](const EncodedPairs& pairs) {
      written += pairs.counts.pairs;
      return absl::OkStatus();
    });
    EXPECT_TRUE(absl::IsInternal(status)) << status;
    EXPECT_EQ(status.message(), "cannot encode the corpus: early");
    EXPECT_EQ(written, 1000);
  }
}

TEST_F(PairEncoderTest, NothingIsWrittenAfterAFailure) {
  for (const int threads : {1, 4}) {
    int calls = 0;
    const absl::Status status = Run(20'000, threads, Number(), [&](const EncodedPairs& pairs) {
      return ++calls < 3 ? absl::OkStatus() : absl::ResourceExhaustedError("the disk is full");
    });
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
    EXPECT_EQ(calls, 3);
  }
}

}  // namespace
}  // namespace seq2seq
