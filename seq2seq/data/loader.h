// Data loader: batches prefetched by a background thread.
#ifndef SEQ2SEQ_DATA_LOADER_H_
#define SEQ2SEQ_DATA_LOADER_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/data/batch.h"
#include "seq2seq/data/bucket.h"
#include "seq2seq/data/corpus_mix.h"
#include "seq2seq/data/subword_sampler.h"

namespace seq2seq {

// A position in the endless stream of batches.
struct LoaderPosition {
  int64_t epoch = 0;
  int64_t batch = 0;  // Within the epoch.
};

// Transforms of examples before collation, in the loader's thread. All may be empty.
struct ExampleTransforms {
  ImageReader images;  // For captions: reads their images.
  std::optional<SubwordSampler> source;
  std::optional<SubwordSampler> target;
};

// The batches of one rank, epoch after epoch, in the order of PlanBatches; the batches from a
// position on are the same as in a stream started at the beginning. Next must be called by one
// thread at a time.
class Loader {
 public:
  struct Item {
    Batch batch;
    LoaderPosition next;  // Start position of a loader that continues after this batch.
  };

  // The corpora of `corpus` must outlive the loader. Keeps up to `prefetch` batches ready. Throws
  // if the rank gets no batch, as with more ranks than batches.
  Loader(CorpusMix corpus, const BucketOptions& options, uint64_t seed, LoaderPosition start = {},
         ExampleTransforms transforms = {}, int64_t prefetch = 8, int64_t rank = 0,
         int64_t world_size = 1);
  ~Loader();

  // The next batch; waits for it if it is not ready.
  Item Next();

  // Batches in the first epoch, of every rank alike. With a mix of corpora other epochs may have
  // slightly more or fewer.
  int64_t batches_per_epoch() const { return batches_per_epoch_; }

  // The share of positions that are padding in the epoch that the loader started in.
  double padding_share() const { return padding_share_; }

 private:
  BatchPlan Plan(int64_t epoch) const;
  // The thread: calls Fill, and keeps its exception for Next.
  void Run(LoaderPosition position, BatchPlan plan);
  void Fill(LoaderPosition position, BatchPlan plan);
  // The batch of the pairs `indices`.
  Batch MakeBatch(absl::Span<const int64_t> indices, uint64_t seed) const;

  const CorpusMix corpus_;
  const BucketOptions options_;
  const uint64_t seed_;
  const ExampleTransforms transforms_;
  const int64_t rank_;
  const int64_t world_size_;
  const size_t prefetch_;
  std::vector<PairLength> lengths_;
  int64_t batches_per_epoch_ = 0;
  double padding_share_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> ready_;
  bool stopping_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_LOADER_H_
