// Forbidden words and phrases: text that a translation must not contain.
#ifndef SEQ2SEQ_SEARCH_FORBIDDEN_WORDS_H_
#define SEQ2SEQ_SEARCH_FORBIDDEN_WORDS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/scorer.h"
#include "seq2seq/search/vocabulary.h"

namespace seq2seq {

// Words, and sequences of them, as text: a hypothesis does not complete them, however it is
// segmented into subwords. A word followed by more within the same subword, as "end.", is not
// detected; SentencePiece learns no such subwords. Immutable, and so thread-safe.
class ForbiddenWords {
 public:
  // `phrases` are tokens of `vocabulary`, which must outlive it. Unless `whole_words`, longer words
  // that begin with a phrase are forbidden too.
  ForbiddenWords(absl::Span<const TokenIds> phrases, const Vocabulary& vocabulary,
                 bool whole_words);

  // Sets the scores of tokens that must not follow `tokens` to minus infinity. The first `given`
  // tokens were not chosen by search and may contain anything. A forbidden word that may be the
  // beginning of a longer one must then continue; with `at_once` it is not even generated, for
  // searches that cannot backtrack. Costs some comparisons per phrase, and a pass over the row
  // where a word must continue.
  void Apply(const TokenIds& tokens, size_t given, bool at_once, const ScoreRow& row) const;

  // Whether Apply forbids `token` after `tokens`.
  bool Bars(const TokenIds& tokens, size_t given, bool at_once, int32_t token) const;

  // The first phrase that `tokens` contain, as text; empty if there is none.
  std::string Find(const TokenIds& tokens) const;

 private:
  // A token that can complete a phrase.
  struct Ending {
    int32_t token = 0;
    size_t begin = 0;  // Where the token begins in the text of the phrase.
  };
  struct Phrase {
    std::string text;  // With a leading space, which matches any word boundary.
    bool may_go_on = false;
    std::vector<Ending> endings;
  };

  std::string Tail(const TokenIds& tokens) const;
  // Whether `ending` completes the phrase after a text that ends with `tail`.
  bool Completes(absl::string_view tail, const Phrase& phrase, const Ending& ending) const;

  const Vocabulary& vocabulary_;
  std::vector<Phrase> phrases_;
  size_t longest_ = 0;  // Bytes of the longest phrase.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_FORBIDDEN_WORDS_H_
