// Which pieces translate which.
#ifndef SEQ2SEQ_SEARCH_LEXICAL_MODEL_H_
#define SEQ2SEQ_SEARCH_LEXICAL_MODEL_H_

#include <cstdint>
#include <vector>

#include "seq2seq/data/corpus_mix.h"

namespace seq2seq {

// A piece of the target, and how likely a piece of the source becomes it.
struct LexicalTranslation {
  int32_t token = 0;
  float probability = 0;
};

// The translations of each piece of the source, [source_vocab], likeliest first, by IBM Model 1
// (Brown et al. 1993): every piece of a target is made by one piece of its source, or by none, for
// which kPadId stands. Of a larger corpus, `most_pairs` pairs from all over it are read.
//
// Costs a second for some five million couples of pieces that stand in a pair together, and in the
// first round 14 to 28 bytes for each different couple.
std::vector<std::vector<LexicalTranslation>> LearnLexicalModel(const CorpusMix& corpus,
                                                               int64_t source_vocab,
                                                               int64_t most_pairs = 1'000'000);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_LEXICAL_MODEL_H_
