// Sequences that a translation must hold.
#ifndef SEQ2SEQ_SEARCH_CONSTRAINTS_H_
#define SEQ2SEQ_SEARCH_CONSTRAINTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "seq2seq/search/hypothesis.h"

namespace seq2seq {

// How far a hypothesis has come with the constraints of its task, which must outlive it (Post &
// Vilar 2018). A value. One constraint is under way at a time; a token that does not go on with it
// leaves it to be begun anew.
class ConstraintProgress {
 public:
  explicit ConstraintProgress(const std::vector<TokenIds>& constraints);

  // The progress with `token` said next.
  ConstraintProgress After(int32_t token) const;

  // The tokens that go on with a constraint.
  TokenIds Needed() const;

  // Tokens of constraints that are said, and that are not yet.
  int64_t met() const { return met_; }
  int64_t missing() const { return missing_; }

 private:
  void Meet(size_t constraint);

  const std::vector<TokenIds>* constraints_;
  std::vector<bool> done_;
  size_t current_ = 0;  // The constraint under way, with
  size_t said_ = 0;     // so many of its tokens said; 0 where none is.
  int64_t met_ = 0;
  int64_t missing_ = 0;
};

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_CONSTRAINTS_H_
