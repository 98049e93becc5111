// Sequences that a translation must hold.
#ifndef SEQ2SEQ_SEARCH_CONSTRAINTS_H_
#define SEQ2SEQ_SEARCH_CONSTRAINTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "seq2seq/search/hypothesis.h"
#include "seq2seq/search/vocabulary.h"

namespace seq2seq {

// What the hypotheses of a sentence share. Immutable.
class Constraints {
 public:
  // Both must outlive it. With a `vocabulary` that is not null sequences are held as whole words:
  // the word before a sequence ends where it begins, and its last word is no beginning of another.
  Constraints(const std::vector<TokenIds>& sequences, const Vocabulary* vocabulary);

  // Tokens of all of them.
  int64_t size() const { return size_; }

 private:
  friend class ConstraintProgress;

  // Those with the same first token, in the order given, which they are met in.
  using Group = std::vector<const TokenIds*>;

  // The group that `token` begins; groups_.size() if there is none.
  size_t Find(int32_t token) const;
  int32_t FirstToken(size_t group) const { return groups_[group][0]->front(); }
  bool InOneWord(int32_t before, int32_t token) const {
    return vocabulary_ != nullptr && vocabulary_->InOneWord(before, token);
  }

  std::vector<Group> groups_;  // By rising first tokens.
  const Vocabulary* vocabulary_;
  int64_t size_ = 0;
};

// How far a hypothesis has come with the constraints of its sentence, which must outlive it (Post &
// Vilar 2018). A value. One constraint is under way at a time; a token that does not go on with it
// leaves it to be begun anew.
class ConstraintProgress {
 public:
  explicit ConstraintProgress(const Constraints& constraints);

  // The progress with `token` next.
  ConstraintProgress After(int32_t token) const;

  // After(token).missing(), at less cost.
  int64_t MissingAfter(int32_t token) const;

  // The tokens that go on with a constraint, rising.
  TokenIds Needed() const;

  // Tokens of constraints that are not met yet.
  int64_t missing() const { return missing_; }

 private:
  const TokenIds& current() const { return *constraints_->groups_[group_][met_[group_]]; }
  // Whether `token` begins a constraint of `group` that is not met.
  bool Begins(size_t group, int32_t token) const;
  // Tokens that `token` takes back: those of a constraint under way that it does not go on with, or
  // of one just met whose last word it goes on with.
  int64_t TakenBack(int32_t token) const;

  const Constraints* constraints_;
  std::vector<size_t> met_;  // Constraints of each group.
  size_t group_ = 0;         // Of the constraint under way, with
  size_t begun_ = 0;         // so many of its tokens; 0 where none is.
  bool just_met_ = false;    // The last one met of the group, by the last token.
  int32_t last_;             // Token.
  int64_t missing_;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_CONSTRAINTS_H_
