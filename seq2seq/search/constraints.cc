#include "seq2seq/search/constraints.h"

#include <algorithm>

namespace seq2seq {

ConstraintProgress::ConstraintProgress(const std::vector<TokenIds>& constraints)
    : constraints_(&constraints) {
  for (const TokenIds& constraint : constraints) {
    done_.push_back(constraint.empty());
    missing_ += static_cast<int64_t>(constraint.size());
  }
}

ConstraintProgress ConstraintProgress::After(int32_t token) const {
  ConstraintProgress next = *this;
  if (said_ > 0 && (*constraints_)[current_][said_] != token) {  // Given up.
    next.met_ -= static_cast<int64_t>(said_);
    next.missing_ += static_cast<int64_t>(said_);
    next.said_ = 0;
  }
  if (next.said_ > 0) {
    next.Meet(current_);
    return next;
  }
  for (size_t i = 0; i < done_.size(); ++i) {
    if (done_[i] || (*constraints_)[i][0] != token) continue;
    next.Meet(i);
    break;
  }
  return next;
}

void ConstraintProgress::Meet(size_t constraint) {
  current_ = constraint;
  ++said_;
  ++met_;
  --missing_;
  if (said_ < (*constraints_)[constraint].size()) return;
  done_[constraint] = true;
  said_ = 0;
}

TokenIds ConstraintProgress::Needed() const {
  if (said_ > 0) return {(*constraints_)[current_][said_]};
  TokenIds needed;
  for (size_t i = 0; i < done_.size(); ++i) {
    if (!done_[i]) needed.push_back((*constraints_)[i][0]);
  }
  std::sort(needed.begin(), needed.end());
  needed.erase(std::unique(needed.begin(), needed.end()), needed.end());
  return needed;
}

}  // namespace seq2seq
