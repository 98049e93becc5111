// Which word of a source became which word of its translation.
#ifndef SEQ2SEQ_SEARCH_ALIGNMENT_H_
#define SEQ2SEQ_SEARCH_ALIGNMENT_H_

#include <cstddef>
#include <vector>

#include "seq2seq/search/translator.h"

namespace seq2seq {

struct AlignedWords {
  size_t source = 0;  // Counted from 0.
  size_t target = 0;
};

// For each word of a translation of a text the word of the source that its pieces looked at most,
// the end of the source left out. Words are what stands between spaces: SentencePiece marks the
// piece that begins one. Empty without an alignment.
std::vector<AlignedWords> AlignWords(const Candidate& candidate);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_ALIGNMENT_H_
