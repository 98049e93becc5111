#include "seq2seq/data/loader.h"

#include <algorithm>
#include <utility>

#include <c10/util/Exception.h>

#include "seq2seq/base/random.h"

namespace seq2seq {

Loader::Loader(CorpusMix corpus, const BucketOptions& options, uint64_t seed, LoaderPosition start,
               ExampleTransforms transforms, int64_t prefetch, int64_t rank, int64_t world_size)
    : corpus_(std::move(corpus)),
      options_(options),
      seed_(seed),
      transforms_(std::move(transforms)),
      rank_(rank),
      world_size_(world_size),
      prefetch_(static_cast<size_t>(std::max<int64_t>(prefetch, 1))) {
  lengths_.reserve(static_cast<size_t>(corpus_.size()));
  for (int64_t i = 0; i < corpus_.size(); ++i) {
    const Example example = corpus_[i];
    // With eos of the source, and bos or eos of the target.
    lengths_.push_back({static_cast<int32_t>(example.source.size() + 1),
                        static_cast<int32_t>(example.target.size() + 1)});
  }
  BatchPlan plan = Plan(start.epoch);
  batches_per_epoch_ = static_cast<int64_t>(start.epoch == 0 ? plan.size() : Plan(0).size());
  TORCH_CHECK(!plan.empty(), "rank ", rank, " of ", world_size, " gets none of the batches of ",
              corpus_.size(), " pairs: use fewer ranks or smaller batches");
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
  const std::vector<int64_t> pairs = corpus_.Epoch(seed_, epoch);
  std::vector<PairLength> lengths;
  lengths.reserve(pairs.size());
  for (const int64_t pair : pairs) lengths.push_back(lengths_[static_cast<size_t>(pair)]);
  BatchPlan plan = PlanBatches(lengths, options_, seed_, epoch, rank_, world_size_);
  for (std::vector<int64_t>& batch : plan) {
    for (int64_t& index : batch) index = pairs[static_cast<size_t>(index)];
  }
  return plan;
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
  } catch (...) {  // Out of memory, for example.
    const std::lock_guard<std::mutex> lock(mutex_);
    error_ = std::current_exception();
    changed_.notify_all();
  }
}

Batch Loader::MakeBatch(absl::Span<const int64_t> indices, uint64_t seed) const {
  std::vector<Example> examples;
  for (const int64_t index : indices) examples.push_back(corpus_[index]);
  std::vector<std::vector<int32_t>> samples[2];  // Resampled sentences, viewed by examples.
  const auto resample = [&](const std::optional<SubwordSampler>& sampler, auto side, uint64_t use) {
    if (!sampler) return;
    std::vector<absl::Span<const int32_t>> sentences;
    for (const Example& example : examples) sentences.push_back(example.*side);
    samples[use] = sampler->Sample(sentences, DeriveSeed({seed, use}));
    for (size_t i = 0; i < examples.size(); ++i) examples[i].*side = samples[use][i];
  };
  resample(transforms_.source, &Example::source, 0);
  resample(transforms_.target, &Example::target, 1);
  return Collate(examples, transforms_.images, seed);
}

void Loader::Fill(LoaderPosition position, BatchPlan plan) {
  while (true) {
    while (position.batch >= static_cast<int64_t>(plan.size())) {
      position = {position.epoch + 1, 0};
      plan = Plan(position.epoch);
    }
    const std::vector<int64_t>& indices = plan[static_cast<size_t>(position.batch)];
    const uint64_t seed = DeriveSeed(
        {seed_, static_cast<uint64_t>(position.epoch), static_cast<uint64_t>(position.batch)});
    const bool last = ++position.batch == static_cast<int64_t>(plan.size());
    Item item = {MakeBatch(indices, seed), last ? LoaderPosition{position.epoch + 1, 0} : position};

    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || ready_.size() < prefetch_; });
    if (stopping_) return;
    ready_.push_back(std::move(item));
    changed_.notify_all();
  }
}

}  // namespace seq2seq
