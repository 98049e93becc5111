// Learning of lexical shortlists from a training corpus.
#ifndef SEQ2SEQ_DATA_LEARN_SHORTLIST_H_
#define SEQ2SEQ_DATA_LEARN_SHORTLIST_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

#include "seq2seq/data/corpus_mix.h"
#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/shortlist.h"

namespace seq2seq {

// The shortlist of a model with these vocabularies, from its training corpus: the most probable
// translations by LexicalModel, and the subwords that are most frequent in `outputs`, the
// model's own translations of a few thousand sentences of the corpus. What a model generates where
// it is uncertain is in these, and not in the references. Equally frequent ones, and all of them
// without outputs, by their frequency in the corpus. The tail is sampled with probabilities in
// proportion to that frequency.
Shortlist LearnShortlist(const CorpusMix& corpus, absl::Span<const TokenIds> outputs,
                         int64_t source_vocab, int64_t target_vocab,
                         const ShortlistSize& size = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_DATA_LEARN_SHORTLIST_H_
