// Worker threads of an HTTP server.
#ifndef SEQ2SEQ_SERVE_HTTP_WORKERS_H_
#define SEQ2SEQ_SERVE_HTTP_WORKERS_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"

#include "seq2seq/serve/http_service.h"

namespace seq2seq {

// Answers requests in the order of their arrival, on several threads. The owner adds requests and
// takes responses; it calls End if Start succeeded.
class HttpWorkers {
 public:
  struct Work {
    uint64_t id = 0;  // Of the connection.
    HttpRequest request;
    std::chrono::steady_clock::time_point begin;  // When its last byte arrived.
    std::shared_ptr<std::atomic<bool>> cancelled;
    std::shared_ptr<std::atomic<bool>> ready;  // Whether the client has received all parts so far.
  };

  struct Answer {
    uint64_t id = 0;
    HttpResponse response;  // Or a part of it.
  };

  // `on_answer` is called after each response or part of one, by the thread that made it. `service`
  // must outlive it.
  HttpWorkers(HttpService& service, std::function<void()> on_answer);

  // Starts `count` threads, or as many as there can be. Unavailable if there can be none.
  absl::Status Start(int64_t count);

  void Add(Work work);

  // The responses, and parts of them, since the last call, in the order in which they were ready.
  std::vector<Answer> TakeAnswers();

  // Returns when all requests are answered and the threads have ended.
  void End();

 private:
  // The loop of a thread.
  void Run();
  HttpResponse AnswerOf(const Work& work);
  void Push(Answer answer);

  HttpService& service_;
  const std::function<void()> on_answer_;
  std::vector<std::thread> threads_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> work_;
  std::vector<Answer> answers_;
  bool ending_ = false;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SERVE_HTTP_WORKERS_H_
