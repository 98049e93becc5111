// Pairs of sentences as ids of their words or subwords, for learning alignments.
#ifndef SEQ2SEQ_ALIGN_SENTENCE_PAIRS_H_
#define SEQ2SEQ_ALIGN_SENTENCE_PAIRS_H_

#include <algorithm>
#include <cstdint>
#include <functional>

#include "absl/types/span.h"

namespace seq2seq {

// The empty word, which generates target words without a counterpart. No sentence contains it.
inline constexpr int32_t kEmptyWord = 0;

struct SentencePair {
  absl::Span<const int32_t> source;
  absl::Span<const int32_t> target;
};

// A sequence of pairs, which are read several times.
struct SentencePairs {
  int64_t size = 0;
  std::function<SentencePair(int64_t index)> at;  // The spans live as long as what it refers to.

  // At most `most` of them, at equal distances.
  SentencePairs AtMost(int64_t most) const {
    const int64_t stride = std::max<int64_t>(1, (size + most - 1) / most);
    return {(size + stride - 1) / stride,
            [stride, at = at](int64_t index) { return at(index * stride); }};
  }
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_ALIGN_SENTENCE_PAIRS_H_
