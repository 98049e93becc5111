// Word alignment from attention weights.
#ifndef SEQ2SEQ_SEARCH_ALIGNMENT_H_
#define SEQ2SEQ_SEARCH_ALIGNMENT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "seq2seq/align/aligned_words.h"
#include "seq2seq/search/candidate.h"

namespace seq2seq {

// The index of the word that each of the first `count` of `subwords` belongs to: SentencePiece
// marks the subword that begins a word.
std::vector<size_t> WordOfSubword(const std::vector<std::string>& subwords, size_t count);

// For each word of a translated text, the source word with the largest sum of attention weights
// from its subwords, end of sentence excluded. Words are separated by spaces. Empty without
// attention weights.
std::vector<AlignedWords> AlignWords(const Candidate& candidate);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_ALIGNMENT_H_
