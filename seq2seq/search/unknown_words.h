// Replacement of unknown words in translations (Luong et al. 2015, "Addressing the Rare Word
// Problem").
#ifndef SEQ2SEQ_SEARCH_UNKNOWN_WORDS_H_
#define SEQ2SEQ_SEARCH_UNKNOWN_WORDS_H_

#include <string>

#include "seq2seq/search/candidate.h"
#include "seq2seq/search/lexicon.h"

namespace seq2seq {

// Replaces each unknown subword in candidate.text by the translation, in `lexicon`, of the word of
// `source` with the largest attention weight at it; by the word itself without a lexicon, which may
// be null. The candidate has its attention weights; its subwords stay as they are.
void ReplaceUnknownWords(const std::string& source, const Lexicon* lexicon, Candidate& candidate);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_UNKNOWN_WORDS_H_
