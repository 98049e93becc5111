// Batching of translation requests from concurrent callers.
#ifndef SEQ2SEQ_SEARCH_BATCHING_TRANSLATOR_H_
#define SEQ2SEQ_SEARCH_BATCHING_TRANSLATOR_H_

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

// Batches the requests that arrive while others are being translated. Requests with equal search
// options are translated together, the longest waiting first.
//
//   BatchingTranslator batching(std::move(translator), {});
//   auto waiting = batching.Translate({{"Ein Hund rennt."}}, SearchOptions());
//   if (!waiting.ok()) …  // Invalid, or the queue is full.
//   TranslationResult result = (*waiting)[0].get();
//
// Thread-safe. Computes on one thread that it owns, with LibTorch's threads.
class BatchingTranslator {
 public:
  using Future = std::future<TranslationResult>;

  BatchingTranslator(Translator translator, const BatchingOptions& options);

  // Finishes the waiting requests.
  ~BatchingTranslator();

  BatchingTranslator(const BatchingTranslator&) = delete;
  BatchingTranslator& operator=(const BatchingTranslator&) = delete;

  // Queues all of `requests`, with a future for each, or none of them: returns the error of
  // Translator::CheckRequests, OutOfRange for more than the queue can hold, ResourceExhausted if it
  // is too full now. An interrupted request ends with the error of its interrupt, at its turn or
  // during the search, and costs nothing more. Calls take turns, request by request: a single
  // request does not wait for all of a large call, and a short text is not in one batch with long
  // ones.
  absl::StatusOr<std::vector<Future>> Translate(std::vector<Request> requests,
                                                const SearchOptions& options);

  // Statistics of the queue.
  struct Counts {
    int64_t waiting = 0;
    int64_t requests = 0;  // Requests translated so far.
    int64_t batches = 0;   // Batches that these formed.
  };
  Counts counts() const;

  const Translator& translator() const { return translator_; }

 private:
  struct Job {
    Request request;
    std::shared_ptr<const SearchOptions> options;  // Shared by the requests of a call.
    std::promise<TranslationResult> result;
    int64_t turn;
  };

  void Run();
  // Ends the jobs that were interrupted.
  void DropInterrupted();
  // The jobs whose turn is next and that have equal search options.
  std::vector<Job> TakeBatch();
  void Finish(std::vector<Job> jobs);

  const Translator translator_;
  const BatchingOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;  // In the order of turns.
  int64_t turn_ = 0;         // Of the latest job that was searched.
  Counts counts_;
  bool ending_ = false;
  std::thread worker_;  // Last, because it uses the other members.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_BATCHING_TRANSLATOR_H_
