// Data loader: batches prefetched by a background thread.
#ifndef SEQ2SEQ_DATA_LOADER_H_
#define SEQ2SEQ_DATA_LOADER_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/types/span.h"

#include "seq2seq/align/word_aligner.h"
#include "seq2seq/data/batch.h"
#include "seq2seq/data/bucket.h"
#include "seq2seq/data/corpus_mix.h"
#include "seq2seq/data/noise.h"
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
  std::optional<Noise> noise;  // For pretraining: corrupts the targets into sources.
  std::shared_ptr<const WordAligner> aligner = nullptr;  // For guided alignment: of subwords.
};

// The part of the data that one of several processes computes. All go through the same batches:
// how many processes there are does not change what a model learns from.
struct DataShare {
  int64_t rank = 0;
  int64_t size = 1;            // Processes.
  int64_t update_batches = 1;  // Batches of an update, which starts at the loader's start.
};

// The pairs of a batch that a process computes, [begin, end) of `rows`, where `batch` counts from
// the start of the loader. The batches of an update are dealt out whole as far as every process
// gets equally many of them; each of the rest is cut into `size` parts, some of which are empty
// where it has fewer pairs.
std::pair<int64_t, int64_t> RowsOf(const DataShare& share, int64_t batch, int64_t rows);

// The batches of PlanBatches, or one process's share of them, epoch after epoch; the batches from a
// position on are the same as in a stream started at the beginning. Besides the batches, takes 4
// bytes a pair for the plan of the current epoch and 4 for that of the next one, which is made
// while the current one is read. Next must be called by one thread at a time.
class Loader {
 public:
  struct Item {
    std::optional<Batch> batch;  // Absent if the share of this process is empty.
    int64_t tokens = 0;          // Of the targets of the batch of all processes, with eos.
    LoaderPosition next;         // Start position of a loader that continues after this batch.
  };

  // The corpora of `corpus` must outlive the loader. Keeps up to `prefetch` batches ready.
  // `batches_per_epoch`, if not 0, is that of an earlier loader of the same corpus and options.
  Loader(CorpusMix corpus, const BucketOptions& options, uint64_t seed, LoaderPosition start = {},
         ExampleTransforms transforms = {}, int64_t prefetch = 8, DataShare share = {},
         int64_t batches_per_epoch = 0);
  ~Loader();

  // The next batch; waits for it if it is not ready.
  Item Next();

  // Batches in the first epoch. With a mix of corpora other epochs may have slightly more or fewer.
  int64_t batches_per_epoch() const { return batches_per_epoch_; }

  // The share of positions that are padding in the epoch that the loader started in, see
  // PaddingShare.
  double padding_share() const { return padding_share_; }

 private:
  BatchPlan Plan(int64_t epoch) const;
  // The thread: calls Fill, and keeps its exception for Next.
  void Run(LoaderPosition position, BatchPlan plan);
  void Fill(LoaderPosition position, BatchPlan plan);
  // The share of the batch of `pairs` at `position`, the `batch`-th since the start.
  Item MakeItem(absl::Span<const uint32_t> pairs, const LoaderPosition& position,
                int64_t batch) const;
  // `seed` is that of the batch, `share_seed` that of the share of this process.
  Batch MakeBatch(absl::Span<const uint32_t> pairs, uint64_t seed, uint64_t share_seed) const;

  const CorpusMix corpus_;
  const BucketOptions options_;
  const uint64_t seed_;
  const ExampleTransforms transforms_;
  const DataShare share_;
  const size_t prefetch_;
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
