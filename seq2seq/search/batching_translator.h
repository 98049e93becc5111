// Translating for many callers at once.
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

// Puts requests that arrive while others are worked on into one batch. What asks for the same
// search is translated together, the longest waiting first.
//
//   BatchingTranslator batching(std::move(translator), {});
//   auto waiting = batching.Translate({{"Ein Hund rennt."}}, SearchOptions());
//   if (!waiting.ok()) …  // Wrong, or too many wait.
//   TranslationResult result = (*waiting)[0].get();
//
// Thread-safe. One thread of its own computes, with LibTorch's threads.
class BatchingTranslator {
 public:
  using Future = std::future<TranslationResult>;

  BatchingTranslator(Translator translator, const BatchingOptions& options);

  // Finishes what waits.
  ~BatchingTranslator();

  BatchingTranslator(const BatchingTranslator&) = delete;
  BatchingTranslator& operator=(const BatchingTranslator&) = delete;

  // Takes all of `requests`, a future for each, or none of them: what Translator::CheckRequests
  // returns for the first wrong one, OutOfRange if there are more than ever may wait,
  // ResourceExhausted if too many wait now. A request whose interrupt is raised ends with its error
  // when its turn comes, or in the midst of the search, and costs nothing more. Calls take turns,
  // request by request: a single one does not wait for all of a call of many.
  absl::StatusOr<std::vector<Future>> Translate(std::vector<Request> requests,
                                                const SearchOptions& options);

  // What it has done, and what waits.
  struct Counts {
    int64_t waiting = 0;
    int64_t requests = 0;  // That were translated, in
    int64_t batches = 0;   // so many calls.
  };
  Counts counts() const;

  const Translator& translator() const { return translator_; }

 private:
  // What the requests of a call share.
  struct Search {
    SearchOptions options;
    std::string text;  // The options as text: equal where they are.
  };
  struct Job {
    Request request;
    std::shared_ptr<const Search> search;
    std::promise<TranslationResult> result;
    int64_t turn;
  };

  void Run();
  // Ends jobs that wait for nobody.
  void DropInterrupted();
  // The jobs whose turn is next, and those that ask for the same search.
  std::vector<Job> TakeBatch();
  void Finish(std::vector<Job> jobs);

  const Translator translator_;
  const BatchingOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;  // By their turns.
  int64_t turn_ = 0;         // The latest that was searched.
  Counts counts_;
  bool ending_ = false;
  std::thread worker_;  // The last member: it uses the others.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_BATCHING_TRANSLATOR_H_
