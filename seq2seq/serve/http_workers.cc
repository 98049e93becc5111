#include "seq2seq/serve/http_workers.h"

#include <exception>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace seq2seq {

HttpWorkers::HttpWorkers(HttpService& service, std::function<void()> on_answer)
    : service_(service), on_answer_(std::move(on_answer)) {}

absl::Status HttpWorkers::Start(int64_t count) {
  try {
    for (int64_t i = 0; i < count; ++i) threads_.emplace_back([this] { Run(); });
  } catch (const std::system_error& error) {  // Fewer than requested suffice, none does not.
    if (threads_.empty())
      return absl::UnavailableError(absl::StrCat("cannot start a thread: ", error.what()));
  }
  return absl::OkStatus();
}

void HttpWorkers::Add(Work work) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    work_.push_back(std::move(work));
  }
  changed_.notify_one();
}

std::vector<HttpWorkers::Answer> HttpWorkers::TakeAnswers() {
  std::vector<Answer> answers;
  const std::lock_guard<std::mutex> lock(mutex_);
  answers.swap(answers_);
  return answers;
}

void HttpWorkers::End() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void HttpWorkers::Run() {
  while (true) {
    Work work;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !work_.empty(); });
      if (work_.empty()) return;
      work = std::move(work_.front());
      work_.pop_front();
    }
    Push({work.id, AnswerOf(work)});
  }
}

HttpResponse HttpWorkers::AnswerOf(const Work& work) {
  const HttpSink sink = [this, id = work.id, ready = work.ready](HttpResponse part) {
    if (!ready->exchange(false)) return false;
    Push({id, std::move(part)});
    return true;
  };
  try {
    return service_.Answer(work.request, work.begin, work.cancelled, sink);
  } catch (const std::exception& error) {  // Such as std::bad_alloc.
    return service_.Refuse(500, error.what());
  }
}

void HttpWorkers::Push(Answer answer) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    answers_.push_back(std::move(answer));
  }
  on_answer_();
}

}  // namespace seq2seq
