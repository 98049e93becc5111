#include "seq2seq/search/batching_translator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "seq2seq/base/status_macros.h"

namespace seq2seq {
namespace {

// Texts of a batch have similar lengths: within this factor, beyond this many bytes.
constexpr size_t kSimilar = 2;
constexpr size_t kShort = 200;
// A rough estimate, for the limit of a batch in subwords.
constexpr size_t kBytesPerSubword = 4;

}  // namespace

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

absl::StatusOr<std::vector<BatchingTranslator::Future>> BatchingTranslator::Translate(
    std::vector<Request> requests, const SearchOptions& options) {
  SEQ2SEQ_RETURN_IF_ERROR(translator_.CheckRequests(requests, options));
  const auto most = static_cast<size_t>(options_.queue);
  if (requests.size() > most) {
    return absl::OutOfRangeError(absl::StrCat(requests.size(), " requests in one call, at most ",
                                              most, " fit in the queue"));
  }
  const auto shared = std::make_shared<const SearchOptions>(options);
  std::vector<Future> results;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (waiting_.size() + requests.size() > most) DropInterrupted();
    if (waiting_.size() + requests.size() > most) {
      return absl::ResourceExhaustedError(
          absl::StrCat("too many requests: ", waiting_.size(), " are waiting"));
    }
    int64_t turn = turn_;
    for (Request& request : requests) {
      const auto place =
          std::upper_bound(waiting_.begin(), waiting_.end(), turn,
                           [](int64_t mine, const Job& job) { return mine < job.turn; });
      const auto job = waiting_.insert(place, Job{std::move(request), shared, {}, turn++});
      results.push_back(job->result.get_future());
    }
  }
  changed_.notify_all();
  return results;
}

BatchingTranslator::Counts BatchingTranslator::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  Counts counts = counts_;
  counts.waiting = static_cast<int64_t>(waiting_.size());
  return counts;
}

void BatchingTranslator::DropInterrupted() {
  const auto interrupted = [](Job& job) {
    const Interrupt& interrupt = job.request.interrupt;
    if (!interrupt.raised()) return false;
    job.result.set_value(interrupt.error());
    return true;
  };
  waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), interrupted), waiting_.end());
}

std::vector<BatchingTranslator::Job> BatchingTranslator::TakeBatch() {
  std::vector<Job> jobs;
  DropInterrupted();
  std::deque<Job> left;
  size_t longest = 0;
  const auto fits = [&](const Job& job) {
    if (jobs.empty()) return true;
    const size_t size = job.request.text.size();
    const size_t first = jobs[0].request.text.size();
    return jobs.size() < static_cast<size_t>(translator_.options().batch_size) &&
           (jobs.size() + 1) * std::max(longest, size) <=
               kBytesPerSubword * static_cast<size_t>(translator_.options().batch_tokens) &&
           std::max(first, size) <= kSimilar * (std::min(first, size) + kShort) &&
           *job.options == *jobs[0].options;
  };
  for (Job& job : waiting_) {
    if (fits(job)) {
      longest = std::max(longest, job.request.text.size());
      jobs.push_back(std::move(job));
    } else {
      left.push_back(std::move(job));
    }
  }
  waiting_ = std::move(left);
  if (!jobs.empty()) turn_ = std::max(turn_, jobs.back().turn);
  return jobs;
}

void BatchingTranslator::Finish(std::vector<Job> jobs) {
  std::vector<Request> requests;
  for (Job& job : jobs) requests.push_back(std::move(job.request));
  std::vector<TranslationResult> results =
      translator_.TranslateRequests(requests, *jobs[0].options);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    counts_.requests += static_cast<int64_t>(jobs.size());
    ++counts_.batches;
  }
  for (size_t i = 0; i < jobs.size(); ++i) jobs[i].result.set_value(std::move(results[i]));
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
    if (!jobs.empty()) Finish(std::move(jobs));
  }
}

}  // namespace seq2seq
