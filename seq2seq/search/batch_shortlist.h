// Lexical shortlists of the sentences of a batch.
#ifndef SEQ2SEQ_SEARCH_BATCH_SHORTLIST_H_
#define SEQ2SEQ_SEARCH_BATCH_SHORTLIST_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/shortlist.h"

namespace seq2seq {

// The output layer of a batch computes the union of its sentences' shortlists, and each sentence
// keeps the columns of its own: its result does not depend on the others. Empty, as by default,
// where no sentence has a shortlist. Thread-safe.
class BatchShortlist {
 public:
  BatchShortlist() = default;

  // Of the shortlists of the sentences, [sentence], by Shortlist::Tokens. Costs a pass over the
  // vocabulary and over the lists. `tail` is part of the union.
  BatchShortlist(std::vector<TokenIds> own, int64_t target_vocab, const TailSample& tail = {});

  // The union, by ListedTokens; empty, for all subwords, where a sentence has no shortlist.
  const TokenIds& tokens() const { return tokens_; }

  // Whether any sentence has fewer columns than the union. In a batch of one only with a tail.
  bool differs() const { return !columns_.empty(); }

  // The shortlist of a sentence, and its columns in the union, both ascending. Empty where they are
  // all. Only where the shortlists differ.
  const TokenIds& own(size_t sentence) const { return own_[sentence]; }
  const std::vector<int32_t>& columns(size_t sentence) const { return columns_[sentence]; }

  // A column that only the normaliser counts, with e^log_weight.
  struct TailColumn {
    int32_t column = 0;
    float log_weight = 0;
  };

  // Those of a sentence: the tail without its shortlist; none if its columns are all.
  const std::vector<TailColumn>& tail(size_t sentence) const { return tails_[sentence]; }

 private:
  std::vector<TokenIds> own_;  // [sentence]
  TokenIds tokens_;
  std::vector<std::vector<int32_t>> columns_;   // [sentence]
  std::vector<std::vector<TailColumn>> tails_;  // [sentence]
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_BATCH_SHORTLIST_H_
