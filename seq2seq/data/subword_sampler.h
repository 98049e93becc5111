// Subword regularisation: random segmentations of sentences (unigram sampling, BPE-dropout).
#ifndef SEQ2SEQ_DATA_SUBWORD_SAMPLER_H_
#define SEQ2SEQ_DATA_SUBWORD_SAMPLER_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"

#include "tokenizer/tokenizer.h"

namespace seq2seq {

struct SubwordSamplingOptions {
  bool source = false;
  bool target = false;
  double alpha = 0.1;

  template <typename V>
  void Visit(V&& visit) {
    visit("source", source,
          "Segment source sentences into subwords anew, at random, each time they occur (Kudo "
          "2018, Provilkov et al. 2020). For small corpora. Sentences get longer: a batch may hold "
          "more subwords than planned.");
    visit("target", target, "The same for the target.");
    visit("alpha", alpha,
          "unigram tokenizers: how strongly likelier segmentations are preferred, 0.1 to 0.5; bpe: "
          "share of the merges dropped, 0.1; others have one segmentation only.");
  }
};

// Draws a segmentation for each sentence of a batch. Thread-safe.
class SubwordSampler {
 public:
  // Sentences that would have more than `max_length` subwords stay as they are.
  SubwordSampler(Tokenizer tokenizer, double alpha, int64_t max_length)
      : tokenizer_(std::move(tokenizer)), alpha_(alpha), max_length_(max_length) {}

  // Each sentence in another segmentation, a function of `seed` and the sentences alone. Those with
  // unknown subwords, whose text is lost, stay as they are. Costs about what encoding costs.
  std::vector<std::vector<int32_t>> Sample(absl::Span<const absl::Span<const int32_t>> sentences,
                                           uint64_t seed) const;

 private:
  Tokenizer tokenizer_;
  double alpha_;
  int64_t max_length_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_SUBWORD_SAMPLER_H_
