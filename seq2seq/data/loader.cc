#include "seq2seq/data/loader.h"

#include <algorithm>
#include <future>
#include <utility>
#include <vector>

#include "seq2seq/base/random.h"

namespace seq2seq {

std::pair<int64_t, int64_t> RowsOf(const DataShare& share, int64_t batch, int64_t rows) {
  const int64_t in_update = batch % share.update_batches;
  const bool whole = in_update < share.update_batches / share.size * share.size;
  if (!whole) return {rows * share.rank / share.size, rows * (share.rank + 1) / share.size};
  return {0, in_update % share.size == share.rank ? rows : 0};
}

Loader::Loader(CorpusMix corpus, const BucketOptions& options, uint64_t seed, LoaderPosition start,
               ExampleTransforms transforms, int64_t prefetch, DataShare share,
               int64_t batches_per_epoch)
    : corpus_(std::move(corpus)),
      options_(options),
      seed_(seed),
      transforms_(std::move(transforms)),
      share_(share),
      prefetch_(static_cast<size_t>(std::max<int64_t>(prefetch, 1))),
      batches_per_epoch_(batches_per_epoch) {
  BatchPlan plan = Plan(start.epoch);
  if (batches_per_epoch_ == 0) batches_per_epoch_ = start.epoch == 0 ? plan.size() : Plan(0).size();
  padding_share_ = PaddingShare([this](uint32_t pair) { return corpus_.length(pair); }, plan);
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
  return PlanBatches(
      corpus_.Epoch(seed_, epoch), [this](uint32_t pair) { return corpus_.length(pair); }, options_,
      seed_, epoch);
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

Loader::Item Loader::MakeItem(absl::Span<const uint32_t> pairs, const LoaderPosition& position,
                              int64_t batch) const {
  Item item;
  for (const uint32_t pair : pairs) item.tokens += corpus_.length(pair).target;
  const uint64_t seed = DeriveSeed(
      {seed_, static_cast<uint64_t>(position.epoch), static_cast<uint64_t>(position.batch)});
  const uint64_t share_seed =
      share_.rank > 0 ? DeriveSeed({seed, static_cast<uint64_t>(share_.rank)}) : seed;
  const auto [begin, end] = RowsOf(share_, batch, static_cast<int64_t>(pairs.size()));
  if (begin == end) return item;
  item.batch =
      MakeBatch(pairs.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)), seed,
                share_seed);
  return item;
}

Batch Loader::MakeBatch(absl::Span<const uint32_t> pairs, uint64_t seed,
                        uint64_t share_seed) const {
  std::vector<Example> examples;
  for (const uint32_t pair : pairs) examples.push_back(corpus_[pair]);
  std::vector<std::vector<int32_t>> samples[2];  // Resampled sentences, viewed by examples.
  const auto resample = [&](const std::optional<SubwordSampler>& sampler, auto side, uint64_t use) {
    if (!sampler) return;
    std::vector<absl::Span<const int32_t>> sentences;
    for (const Example& example : examples) sentences.push_back(example.*side);
    samples[use] = sampler->Sample(sentences, DeriveSeed({share_seed, use}));
    for (size_t i = 0; i < examples.size(); ++i) examples[i].*side = samples[use][i];
  };
  resample(transforms_.source, &Example::source, 0);
  resample(transforms_.target, &Example::target, 1);
  if (!transforms_.noise) {
    Batch batch = Collate(examples, transforms_.images, share_seed);
    if (transforms_.aligner) batch.alignment = CollateAlignments(examples, *transforms_.aligner);
    return batch;
  }
  // Of each text, however many processes share the batch.
  std::vector<uint64_t> seeds;
  for (const uint32_t pair : pairs) seeds.push_back(DeriveSeed({seed, pair}));
  return Collate(examples, *transforms_.noise, seeds);
}

void Loader::Fill(LoaderPosition position, BatchPlan plan) {
  const auto plan_epoch = [this](int64_t epoch) {
    return std::async(std::launch::async, [this, epoch] { return Plan(epoch); });
  };
  std::future<BatchPlan> next_plan = plan_epoch(position.epoch + 1);
  for (int64_t count = 0;; ++count) {
    while (position.batch >= plan.size()) {
      position = {position.epoch + 1, 0};
      plan = BatchPlan();  // Its memory is free before that of the plan after the next is taken.
      plan = next_plan.get();
      next_plan = plan_epoch(position.epoch + 1);
    }
    Item item = MakeItem(plan[position.batch], position, count);
    ++position.batch;
    item.next = position.batch == plan.size() ? LoaderPosition{position.epoch + 1, 0} : position;

    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || ready_.size() < prefetch_; });
    if (stopping_) return;
    ready_.push_back(std::move(item));
    changed_.notify_all();
  }
}

}  // namespace seq2seq
