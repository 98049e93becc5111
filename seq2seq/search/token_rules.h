// What may be said next.
#ifndef SEQ2SEQ_SEARCH_TOKEN_RULES_H_
#define SEQ2SEQ_SEARCH_TOKEN_RULES_H_

#include <cstdint>
#include <optional>

#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/scorer.h"
#include "seq2seq/search/search_options.h"

namespace seq2seq {

// The rules that options and task make for the tokens of a sentence, except for constraints. Both
// must outlive it.
class TokenRules {
 public:
  TokenRules(const SearchOptions& options, const SearchTask& task);

  // The only token that may follow `length` tokens: that of the prefix, or the end of sentence when
  // there is no more room. Nothing else of the rules counts then.
  std::optional<int32_t> Forced(int64_t length) const;

  // Whether a token that must come some time, as those of constraints, may not come now.
  bool Bars(const TokenIds& said, int32_t token) const;

  // Gives what may not follow `said` a score of minus infinity, and what was said before its
  // penalty. Padding, beginning of sentence and unknown never follow.
  void Apply(const TokenIds& said, const ScoreRow& row) const;

  // What the log-probability of a token that follows `said` is multiplied by.
  double Penalty(const TokenIds& said, int32_t token) const;

  // The most tokens there is room for: prefix and constraints have room in any case.
  int64_t max_length() const { return max_length_; }

 private:
  // Whether only the end has room behind the token that follows `said`.
  bool IsLast(const TokenIds& said) const {
    return static_cast<int64_t>(said.size()) + 1 >= max_length_;
  }

  const SearchOptions& options_;
  const SearchTask& task_;
  int64_t max_length_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_TOKEN_RULES_H_
