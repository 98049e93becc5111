// Constraints on the next token: forced prefix, forbidden words, n-gram blocking, penalties.
#ifndef SEQ2SEQ_SEARCH_LOGITS_PROCESSOR_H_
#define SEQ2SEQ_SEARCH_LOGITS_PROCESSOR_H_

#include <cstdint>
#include <optional>

#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/scorer.h"
#include "seq2seq/search/search_options.h"

namespace seq2seq {

// The rules of options and task for the tokens of a sentence (a logits processor), except lexical
// constraints. Both must outlive it.
class LogitsProcessor {
 public:
  LogitsProcessor(const SearchOptions& options, const SearchTask& task);

  // The only token that may follow `length` tokens: that of the prefix, or end of sentence at the
  // maximum length. No other rule applies then.
  std::optional<int32_t> Forced(int64_t length) const;

  // Whether a token that must occur at some time, such as one of a constraint, is forbidden now.
  bool Bars(const TokenIds& generated, int32_t token) const;

  // Sets the scores of tokens that must not follow `generated`, the hypothesis, to minus infinity,
  // and applies the repetition penalty. Padding, beginning of sentence and unknown never follow.
  void Apply(const TokenIds& generated, const ScoreRow& row) const;

  // The factor on the log-probability of `token` after `generated`.
  double Penalty(const TokenIds& generated, int32_t token) const;

  // The maximum number of tokens, with room for prefix and constraints in any case.
  int64_t max_length() const { return max_length_; }

 private:
  // Whether only end of sentence has room after the token that follows `generated`.
  bool IsLast(const TokenIds& generated) const {
    return static_cast<int64_t>(generated.size()) + 1 >= max_length_;
  }

  const SearchOptions& options_;
  const SearchTask& task_;
  int64_t max_length_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_LOGITS_PROCESSOR_H_
