// Lexical constraints: sequences that a translation must contain (Post & Vilar 2018).
#ifndef SEQ2SEQ_SEARCH_CONSTRAINTS_H_
#define SEQ2SEQ_SEARCH_CONSTRAINTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/vocabulary.h"

namespace seq2seq {

// The constraints of a sentence, shared by its hypotheses. Immutable.
class Constraints {
 public:
  // Both must outlive it. If `vocabulary` is not null, sequences match as whole words: the word
  // before a sequence ends where the sequence begins, and its last word does not continue.
  Constraints(const std::vector<TokenIds>& sequences, const Vocabulary* vocabulary);

  // Number of tokens of all constraints.
  int64_t size() const { return size_; }

 private:
  friend class ConstraintProgress;

  // Constraints with the same first token, in the given order, in which they are met.
  using Group = std::vector<const TokenIds*>;

  // The group whose first token is `token`; groups_.size() if there is none.
  size_t Find(int32_t token) const;
  int32_t FirstToken(size_t group) const { return groups_[group][0]->front(); }
  bool InOneWord(int32_t before, int32_t token) const {
    return vocabulary_ != nullptr && vocabulary_->InOneWord(before, token);
  }

  std::vector<Group> groups_;  // Ascending by first token.
  const Vocabulary* vocabulary_;
  int64_t size_ = 0;
};

// The progress of a hypothesis through the constraints of its sentence, which must outlive it. A
// value type. One constraint is in progress at a time; a token that does not continue it resets it.
class ConstraintProgress {
 public:
  explicit ConstraintProgress(const Constraints& constraints);

  // The progress after `token`.
  ConstraintProgress After(int32_t token) const;

  // After(token).missing(), at less cost.
  int64_t MissingAfter(int32_t token) const;

  // The tokens that begin or continue a constraint, ascending.
  TokenIds Needed() const;

  // Number of constraint tokens that are not met yet.
  int64_t missing() const { return missing_; }

 private:
  const TokenIds& current() const { return *constraints_->groups_[group_][met_[group_]]; }
  // Whether `token` begins an unmet constraint of `group`.
  bool Begins(size_t group, int32_t token) const;
  // Number of met tokens that `token` undoes: those of the constraint in progress if it does not
  // continue it, or of the one just met if it continues its last word.
  int64_t TakenBack(int32_t token) const;

  const Constraints* constraints_;
  std::vector<size_t> met_;  // Number of met constraints in each group.
  size_t group_ = 0;         // Of the constraint in progress.
  size_t begun_ = 0;         // Tokens of it that are met; 0 if none is in progress.
  bool just_met_ = false;    // Whether the last token completed a constraint of group_.
  int32_t last_;             // Last token of the hypothesis.
  int64_t missing_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_CONSTRAINTS_H_
