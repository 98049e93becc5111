// Weighted mix of corpora.
#ifndef SEQ2SEQ_DATA_CORPUS_MIX_H_
#define SEQ2SEQ_DATA_CORPUS_MIX_H_

#include <cstdint>
#include <vector>

#include "seq2seq/align/sentence_pairs.h"
#include "seq2seq/data/bucket.h"
#include "seq2seq/data/corpus.h"

namespace seq2seq {

// Concatenated corpora, each with a weight: how often its pairs occur in an epoch. A weight of 3 is
// three times, one of 0.25 a quarter of the pairs, another quarter in the next epoch. A value; the
// corpora must outlive it. Thread-safe.
class CorpusMix {
 public:
  // One corpus, each pair once.
  CorpusMix(const Corpus& corpus) : CorpusMix({&corpus}, {1}) {}  // NOLINT: it is one.
  CorpusMix(const Corpus&&) = delete;

  // At least one corpus, a weight above 0 for each, and fewer than 2^32 pairs, in all and an epoch.
  CorpusMix(std::vector<const Corpus*> corpora, std::vector<double> weights);

  int64_t size() const { return begins_.back(); }
  Example operator[](int64_t index) const;

  // The lengths of a pair, with eos of the source, and bos or eos of the target.
  PairLength length(int64_t index) const {
    const Example example = (*this)[index];
    return {static_cast<int32_t>(example.source.size() + 1),
            static_cast<int32_t>(example.target.size() + 1)};
  }

  // The indices of the pairs of an epoch in unspecified order, at least one: a function of its
  // arguments. Takes no other memory where all weights are whole numbers, else that of the indices
  // of one corpus.
  std::vector<uint32_t> Epoch(uint64_t seed, int64_t epoch) const;

  // A hash of all ids and weights.
  uint64_t content() const;

 private:
  std::vector<const Corpus*> corpora_;
  std::vector<double> weights_;
  std::vector<int64_t> begins_;  // First pair of each corpus, and the end of the last.
};

// The pairs of `corpus`, which must outlive them, for learning alignments. Padding, which no pair
// contains, has the id of the empty word.
inline SentencePairs PairsOf(const CorpusMix& corpus) {
  return {corpus.size(), [&corpus](int64_t index) {
            const Example example = corpus[index];
            return SentencePair{example.source, example.target};
          }};
}

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_CORPUS_MIX_H_
