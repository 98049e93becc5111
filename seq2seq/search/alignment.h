// Word alignment from attention weights.
#ifndef SEQ2SEQ_SEARCH_ALIGNMENT_H_
#define SEQ2SEQ_SEARCH_ALIGNMENT_H_

#include <cstddef>
#include <vector>

#include "seq2seq/search/candidate.h"

namespace seq2seq {

struct AlignedWords {
  size_t source = 0;  // Counted from 0.
  size_t target = 0;
};

// For each word of a translated text, the source word with the largest sum of attention weights
// from its subwords, end of sentence excluded. Words are separated by spaces: SentencePiece marks
// the subword that begins a word. Empty without attention weights.
std::vector<AlignedWords> AlignWords(const Candidate& candidate);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_ALIGNMENT_H_
