// Words that a translation must not hold.
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

// Words, and sequences of them, as text: in whatever subwords a hypothesis spells them, they are
// not completed. Not seen where a subword holds more behind a word, as "end." does; SentencePiece
// learns none such. Immutable, and so thread-safe.
class ForbiddenWords {
 public:
  // `phrases` are tokens of `vocabulary`, which must outlive it. Unless `whole_words`, other words
  // may not begin with them either.
  ForbiddenWords(absl::Span<const TokenIds> phrases, const Vocabulary& vocabulary,
                 bool whole_words);

  // Gives what may not follow `tokens` a score of minus infinity. The first `given` of these are
  // not the search's, and may hold what they like. A word that may go on as another one is ended by
  // nothing; with `at_once` it is not even spelt, for searches that cannot go back. Costs some
  // comparisons a phrase, and a pass over the row where a word must go on.
  void Apply(const TokenIds& tokens, size_t given, bool at_once, const ScoreRow& row) const;

  // Whether Apply would let `token` not follow `tokens`.
  bool Bars(const TokenIds& tokens, size_t given, bool at_once, int32_t token) const;

  // The first of the phrases that `tokens` hold, as text; empty if they hold none.
  std::string Find(const TokenIds& tokens) const;

 private:
  // A token that is the rest of a phrase.
  struct Ending {
    int32_t token = 0;
    size_t begin = 0;  // Where it begins in the text of the phrase.
  };
  struct Phrase {
    std::string text;  // With a space before it, which stands for any boundary.
    bool may_go_on = false;
    std::vector<Ending> endings;
  };

  std::string Tail(const TokenIds& tokens) const;
  // Whether `ending` completes the phrase behind a text that ends with `tail`.
  bool Completes(absl::string_view tail, const Phrase& phrase, const Ending& ending) const;

  const Vocabulary& vocabulary_;
  std::vector<Phrase> phrases_;
  size_t longest_ = 0;  // Bytes of a phrase.
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_FORBIDDEN_WORDS_H_
