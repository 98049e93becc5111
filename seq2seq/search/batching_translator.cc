#include "seq2seq/search/batching_translator.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/options.h"

namespace seq2seq {

BatchingTranslator::BatchingTranslator(Translator translator, const BatchingOptions& options)
    : translator_(std::move(translator)), options_(options), worker_([this] { Run(); }) {}

BatchingTranslator::~BatchingTranslator() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  worker_.join();
}

std::future<absl::StatusOr<std::vector<Candidate>>> BatchingTranslator::Translate(
    Request request, const SearchOptions& options, const Limits& limits) {
  Job job;
  job.request = std::move(request);
  job.options = options;
  job.search = PrintOptions(ListOptions(job.options));
  job.limits = limits;
  auto result = job.result.get_future();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (static_cast<int64_t>(waiting_.size()) >= options_.queue) {
      job.result.set_value(absl::ResourceExhaustedError(
          absl::StrCat("too many requests: ", waiting_.size(), " are waiting")));
      return result;
    }
    waiting_.push_back(std::move(job));
  }
  changed_.notify_all();
  return result;
}

BatchingTranslator::Counts BatchingTranslator::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  Counts counts = counts_;
  counts.waiting = static_cast<int64_t>(waiting_.size());
  return counts;
}

std::vector<BatchingTranslator::Job> BatchingTranslator::TakeBatch() {
  std::vector<Job> jobs;
  const std::string search = waiting_.front().search;
  const auto most = static_cast<size_t>(translator_.batch_size);
  std::deque<Job> left;
  for (Job& job : waiting_) {
    if (jobs.size() < most && job.search == search) {
      jobs.push_back(std::move(job));
    } else {
      left.push_back(std::move(job));
    }
  }
  waiting_ = std::move(left);
  return jobs;
}

void BatchingTranslator::Finish(std::vector<Job> jobs) {
  const Clock::time_point now = Clock::now();
  std::vector<Request> requests;
  std::vector<size_t> wanted;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const Limits& limits = jobs[i].limits;
    if (limits.cancelled && *limits.cancelled) {
      jobs[i].result.set_value(absl::CancelledError("the request was cancelled"));
    } else if (limits.deadline < now) {
      jobs[i].result.set_value(absl::DeadlineExceededError("the request waited for too long"));
    } else {
      requests.push_back(jobs[i].request);
      wanted.push_back(i);
    }
  }
  if (requests.empty()) return;
  auto results = translator_.TranslateRequests(requests, jobs[0].options);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    counts_.requests += static_cast<int64_t>(requests.size());
    ++counts_.batches;
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (results.ok()) {
      jobs[wanted[i]].result.set_value(std::move((*results)[i]));
    } else {
      jobs[wanted[i]].result.set_value(results.status());
    }
  }
}

void BatchingTranslator::Run() {
  while (true) {
    std::vector<Job> jobs;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      jobs = TakeBatch();
    }
    Finish(std::move(jobs));
  }
}

}  // namespace seq2seq
