// Learning of lexical shortlists from a training corpus.
#ifndef SEQ2SEQ_DATA_LEARN_SHORTLIST_H_
#define SEQ2SEQ_DATA_LEARN_SHORTLIST_H_

#include <cstdint>

#include "seq2seq/data/corpus_mix.h"
#include "seq2seq/search/shortlist.h"

namespace seq2seq {

// The shortlist of a model with these vocabularies, by LearnLexicalModel, from its training corpus.
Shortlist LearnShortlist(const CorpusMix& corpus, int64_t source_vocab, int64_t target_vocab,
                         const ShortlistSize& size = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_LEARN_SHORTLIST_H_
