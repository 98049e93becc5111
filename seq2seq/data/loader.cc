#include "seq2seq/data/loader.h"

#include <algorithm>
#include <utility>

#include <c10/util/Exception.h>

#include "seq2seq/base/random.h"

namespace seq2seq {

Loader::Loader(const Corpus& corpus, const BucketOptions& options, uint64_t seed,
               LoaderPosition start, ImageReader images, int64_t prefetch, int64_t rank,
               int64_t world_size)
    : corpus_(corpus),
      options_(options),
      seed_(seed),
      images_(std::move(images)),
      rank_(rank),
      world_size_(world_size),
      prefetch_(static_cast<size_t>(std::max<int64_t>(prefetch, 1))) {
  lengths_.reserve(static_cast<size_t>(corpus.size()));
  for (int64_t i = 0; i < corpus.size(); ++i) {
    // With the beginning or end of sentence that each side gets.
    lengths_.push_back({static_cast<int32_t>(corpus.source_length(i) + 1),
                        static_cast<int32_t>(corpus.target_length(i) + 1)});
  }
  BatchPlan plan = Plan(start.epoch);
  batches_per_epoch_ = static_cast<int64_t>(plan.size());
  TORCH_CHECK(!plan.empty(), "rank ", rank, " of ", world_size, " gets none of the batches of ",
              corpus.size(), " pairs: use fewer ranks or smaller batches");
  padding_share_ = PaddingShare(lengths_, plan);
  thread_ =
      std::thread([this, start, plan = std::move(plan)]() mutable { Run(start, std::move(plan)); });
}

Loader::~Loader() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

BatchPlan Loader::Plan(int64_t epoch) const {
  return PlanBatches(lengths_, options_, seed_, epoch, rank_, world_size_);
}

Loader::Item Loader::Next() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return !ready_.empty() || error_; });
  if (ready_.empty()) std::rethrow_exception(error_);
  Item item = std::move(ready_.front());
  ready_.pop_front();
  changed_.notify_all();
  return item;
}

void Loader::Run(LoaderPosition position, BatchPlan plan) {
  try {
    Fill(position, std::move(plan));
  } catch (...) {  // No memory.
    const std::lock_guard<std::mutex> lock(mutex_);
    error_ = std::current_exception();
    changed_.notify_all();
  }
}

void Loader::Fill(LoaderPosition position, BatchPlan plan) {
  std::vector<Example> examples;
  while (true) {
    while (position.batch >= static_cast<int64_t>(plan.size())) {
      position = {position.epoch + 1, 0};
      plan = Plan(position.epoch);
    }
    examples.clear();
    for (const int64_t index : plan[static_cast<size_t>(position.batch)])
      examples.push_back(corpus_[index]);
    const uint64_t seed = DeriveSeed(
        {seed_, static_cast<uint64_t>(position.epoch), static_cast<uint64_t>(position.batch)});
    const bool last = ++position.batch == static_cast<int64_t>(plan.size());
    Item item = {Collate(examples, images_, seed),
                 last ? LoaderPosition{position.epoch + 1, 0} : position};

    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || ready_.size() < prefetch_; });
    if (stopping_) return;
    ready_.push_back(std::move(item));
    changed_.notify_all();
  }
}

}  // namespace seq2seq
