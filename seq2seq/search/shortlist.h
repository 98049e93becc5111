// Lexical shortlist: the target subwords that a translation may need (Jean et al. 2015).
#ifndef SEQ2SEQ_SEARCH_SHORTLIST_H_
#define SEQ2SEQ_SEARCH_SHORTLIST_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/search/hypothesis.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {

// The size of a shortlist, as LearnShortlist of data/learn_shortlist.h makes it.
struct ShortlistSize {
  int64_t translations = 50;  // For each source subword.
  int64_t frequent = 200;     // Most frequent target subwords, for every translation.
};

// The most probable translations of each source subword, and the most frequent target subwords: the
// output layer, the largest part of a time step of search, computes the logits of these only.
// Thread-safe; copies share memory.
class Shortlist {
 public:
  // `translations`, [source vocab, translation], where 0 is none, and `frequent`, [subword], which
  // holds the end of sentence, are int32. See LearnShortlist.
  Shortlist(Array translations, Array frequent, int64_t target_vocab)
      : translations_(std::move(translations)),
        frequent_(std::move(frequent)),
        target_vocab_(target_vocab) {}

  // Maps a file written by Save. DataLoss or InvalidArgument, naming it, if it is not a shortlist
  // or belongs to other vocabularies.
  static absl::StatusOr<Shortlist> Load(const std::string& path, int64_t source_vocab,
                                        int64_t target_vocab);

  // Writes a safetensors file of both arrays.
  absl::Status Save(const std::string& path) const;

  // The shortlist for `sources` and the subwords `needed`, in ascending order; empty where it would
  // be most of the vocabulary. Padded so that matrix products have few different shapes: with the
  // subwords of the lowest ids, which in SentencePiece are the most frequent.
  TokenIds Tokens(absl::Span<const absl::Span<const int32_t>> sources,
                  absl::Span<const int32_t> needed) const;

 private:
  Array translations_;  // [source vocab, translation], int32.
  Array frequent_;      // [subword], int32.
  int64_t target_vocab_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SHORTLIST_H_
