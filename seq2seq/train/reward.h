// Rewards of outputs by a metric, against the references of their sources.
#ifndef SEQ2SEQ_TRAIN_REWARD_H_
#define SEQ2SEQ_TRAIN_REWARD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

#include "seq2seq/data/batch.h"
#include "seq2seq/data/corpus_mix.h"
#include "seq2seq/metrics/corpus_metric.h"
#include "tokenizer/tokenizer.h"

namespace seq2seq {

// The reference of a sentence is its target in the batch; those of an image are all of its captions
// in the corpus. Thread-safe.
class Reward {
 public:
  // By `metric`, of text that `target` decodes. `images` tells whether the sources of `corpus` are
  // numbers of images. Reads the corpus for these, and for cider's document frequencies.
  static absl::StatusOr<Reward> Make(MetricKind metric, MetricOptions options,
                                     const CorpusMix& corpus, const Tokenizer& target, bool images);

  // How good each output is, higher being better, as ScoreSentences: outputs[source] are ids
  // without end of sentence, equally many for each source of `batch`.
  absl::StatusOr<std::vector<std::vector<double>>> Score(
      const Batch& batch, const std::vector<std::vector<std::vector<int32_t>>>& outputs) const;

 private:
  Reward(std::unique_ptr<const CorpusMetric> metric, Tokenizer target)
      : metric_(std::move(metric)), target_(std::move(target)) {}

  // The references of source `row` of a batch.
  std::vector<std::string> ReferencesOf(const Batch& batch, int64_t row) const;

  std::unique_ptr<const CorpusMetric> metric_;
  Tokenizer target_;
  absl::flat_hash_map<int64_t, std::vector<std::string>> captions_;  // By image; else empty.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_REWARD_H_
