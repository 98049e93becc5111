// The part of the vocabulary that a translation may need.
#ifndef SEQ2SEQ_SEARCH_SHORTLIST_H_
#define SEQ2SEQ_SEARCH_SHORTLIST_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include <torch/types.h>

#include "seq2seq/data/corpus_mix.h"
#include "seq2seq/search/hypothesis.h"

namespace seq2seq {

// How long a shortlist is.
struct ShortlistSize {
  int64_t translations = 50;  // Of each piece of the source.
  int64_t frequent = 200;     // Pieces of the target that any translation may have.
};

// For each piece of the source the likeliest translations, and what is frequent in any: the output
// layer, the largest part of a step of search, computes these columns alone (Jean et al. 2015).
// Thread-safe; copies share memory.
class Shortlist {
 public:
  // Learns from the pairs that a model was trained on.
  static Shortlist Learn(const CorpusMix& corpus, int64_t source_vocab, int64_t target_vocab,
                         const ShortlistSize& size = {});

  // Maps a file that Save wrote. DataLoss or InvalidArgument, naming it, where it is none or is of
  // other vocabularies.
  static absl::StatusOr<Shortlist> Load(const std::string& path, int64_t source_vocab,
                                        int64_t target_vocab);

  // A safetensors file: `translations`, [source vocab, translation], where 0 is none, and
  // `frequent`.
  absl::Status Save(const std::string& path) const;

  // What translations of the sources may be made of, and `needed` beside it, rising; empty where
  // that is most of the vocabulary. So many that products come in few shapes: what is left over
  // goes to the pieces with the lowest ids, which SentencePiece numbers from the most frequent on.
  TokenIds Tokens(absl::Span<const absl::Span<const int32_t>> sources,
                  absl::Span<const int32_t> needed) const;

 private:
  Shortlist(torch::Tensor translations, torch::Tensor frequent, int64_t target_vocab)
      : translations_(std::move(translations)),
        frequent_(std::move(frequent)),
        target_vocab_(target_vocab) {}

  torch::Tensor translations_;  // [source vocab, translation], int32.
  torch::Tensor frequent_;      // [piece], int32.
  int64_t target_vocab_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SHORTLIST_H_
