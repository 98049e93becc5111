// Translating for many callers at once.
#ifndef SEQ2SEQ_SEARCH_BATCHING_TRANSLATOR_H_
#define SEQ2SEQ_SEARCH_BATCHING_TRANSLATOR_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"

#include "seq2seq/search/translator.h"

namespace seq2seq {

struct BatchingOptions {
  int64_t queue = 1024;  // Requests that may wait; further ones are refused.
};

// Puts requests that arrive while others are worked on into one batch. What asks for the same
// search is translated together, the longest waiting first.
//
//   BatchingTranslator batching(std::move(translator), {});
//   auto result = batching.Translate({"Ein Hund rennt."}, SearchOptions(), {});
//   …
//   absl::StatusOr<std::vector<Candidate>> candidates = result.get();
//
// Thread-safe. One thread of its own computes, with LibTorch's threads.
class BatchingTranslator {
 public:
  using Clock = std::chrono::steady_clock;

  // When a request is not wanted any more. It then ends with DeadlineExceeded or Cancelled, if its
  // batch has not begun.
  struct Limits {
    Clock::time_point deadline = Clock::time_point::max();
    std::shared_ptr<const std::atomic<bool>> cancelled;  // Null for never.
  };

  BatchingTranslator(Translator translator, const BatchingOptions& options);

  // Finishes what waits.
  ~BatchingTranslator();

  BatchingTranslator(const BatchingTranslator&) = delete;
  BatchingTranslator& operator=(const BatchingTranslator&) = delete;

  // ResourceExhausted if too many requests wait; what Translator::TranslateRequests says of wrong
  // options.
  std::future<absl::StatusOr<std::vector<Candidate>>> Translate(Request request,
                                                                const SearchOptions& options,
                                                                const Limits& limits);

  // What it has done, and what waits.
  struct Counts {
    int64_t waiting = 0;
    int64_t requests = 0;  // That were translated, in
    int64_t batches = 0;   // so many calls.
  };
  Counts counts() const;

  const Translator& translator() const { return translator_; }

 private:
  struct Job {
    Request request;
    SearchOptions options;
    std::string search;  // The options as text: equal where they are.
    Limits limits;
    std::promise<absl::StatusOr<std::vector<Candidate>>> result;
  };

  void Run();
  // The jobs at the front of the queue, and those that ask for the same search.
  std::vector<Job> TakeBatch();
  void Finish(std::vector<Job> jobs);

  const Translator translator_;
  const BatchingOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  Counts counts_;
  bool ending_ = false;
  std::thread worker_;  // The last member: it uses the others.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_BATCHING_TRANSLATOR_H_
