// Lexical shortlist: the target subwords that a translation may need (Jean et al. 2015).
#ifndef SEQ2SEQ_SEARCH_SHORTLIST_H_
#define SEQ2SEQ_SEARCH_SHORTLIST_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/search/hypothesis.h"
#include "seq2seq/weights/array.h"

namespace seq2seq {

// The size of a shortlist, as LearnShortlist of data/learn_shortlist.h makes it.
struct ShortlistSize {
  int64_t translations = 15;  // For each source subword, besides the frequent ones.
  int64_t frequent = 800;     // Most frequent target subwords, for every translation.
  int64_t tail = 100;         // Sample of the others, for the normaliser.
};

// A sample of the vocabulary that is no translation: scores + log_weights estimate the part of the
// normaliser that subwords outside a shortlist have. Without it hypotheses gain where the model is
// uncertain.
struct TailSample {
  TokenIds tokens;                 // Ascending.
  std::vector<float> log_weights;  // Minus log of the probability of being in the sample.
};

// The most probable translations of each source subword, and the most frequent target subwords: the
// output layer, the largest part of a time step of search, computes the logits of these only, and
// of the sample of the others, which only the normaliser counts. Thread-safe; copies share memory.
class Shortlist {
 public:
  // `translations`, [source vocab, translation], where 0 is none, and `frequent`, [subword], which
  // holds the end of sentence, are int32. See LearnShortlist.
  Shortlist(Array translations, Array frequent, TailSample tail, int64_t target_vocab)
      : translations_(std::move(translations)),
        frequent_(std::move(frequent)),
        tail_(std::move(tail)),
        target_vocab_(target_vocab) {}

  // Maps a file written by Save. DataLoss or InvalidArgument, naming it, if it is not a shortlist
  // or belongs to other vocabularies.
  static absl::StatusOr<Shortlist> Load(const std::string& path, int64_t source_vocab,
                                        int64_t target_vocab);

  // Writes a safetensors file of the arrays.
  absl::Status Save(const std::string& path) const;

  // The shortlist of the sentence `source` and the subwords `needed`, by ListedTokens. Costs a pass
  // over the vocabulary.
  TokenIds Tokens(absl::Span<const int32_t> source, absl::Span<const int32_t> needed) const;

  // Empty in files of earlier versions.
  const TailSample& tail() const { return tail_; }
  int64_t target_vocab() const { return target_vocab_; }

 private:
  Array translations_;  // [source vocab, translation], int32.
  Array frequent_;      // [subword], int32.
  TailSample tail_;
  int64_t target_vocab_;
};

// The tokens that are `listed`, [target vocab], ascending; empty, for all, where these are more
// than three quarters: the output layer would save less than the shortlist costs.
TokenIds ListedTokens(const std::vector<bool>& listed);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_SHORTLIST_H_
