#include "seq2seq/search/constraints.h"

#include <algorithm>

#include "tokenizer/tokenizer.h"

namespace seq2seq {

Constraints::Constraints(const std::vector<TokenIds>& sequences, const Vocabulary* vocabulary)
    : vocabulary_(vocabulary) {
  Group all;
  for (const TokenIds& sequence : sequences) {
    if (!sequence.empty()) all.push_back(&sequence);
    size_ += static_cast<int64_t>(sequence.size());
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const TokenIds* a, const TokenIds* b) { return a->front() < b->front(); });
  for (const TokenIds* sequence : all) {
    if (groups_.empty() || groups_.back()[0]->front() != sequence->front()) groups_.emplace_back();
    groups_.back().push_back(sequence);
  }
}

size_t Constraints::Find(int32_t token) const {
  const auto found =
      std::lower_bound(groups_.begin(), groups_.end(), token,
                       [](const Group& group, int32_t value) { return group[0]->front() < value; });
  const bool begins = found != groups_.end() && (*found)[0]->front() == token;
  return begins ? static_cast<size_t>(found - groups_.begin()) : groups_.size();
}

ConstraintProgress::ConstraintProgress(const Constraints& constraints)
    : constraints_(&constraints),
      met_(constraints.groups_.size()),
      last_(kBosId),
      missing_(constraints.size()) {}

bool ConstraintProgress::Begins(size_t group, int32_t token) const {
  return group < met_.size() && met_[group] < constraints_->groups_[group].size() &&
         !constraints_->InOneWord(last_, token);
}

int64_t ConstraintProgress::TakenBack(int32_t token) const {
  if (begun_ > 0) return current()[begun_] == token ? 0 : static_cast<int64_t>(begun_);
  if (!just_met_ || !constraints_->InOneWord(last_, token)) return 0;
  return static_cast<int64_t>(constraints_->groups_[group_][met_[group_] - 1]->size());
}

int64_t ConstraintProgress::MissingAfter(int32_t token) const {
  const int64_t taken_back = TakenBack(token);
  const bool goes_on = begun_ > 0 && taken_back == 0;
  const bool counts = goes_on || Begins(constraints_->Find(token), token);
  return missing_ + taken_back - (counts ? 1 : 0);
}

ConstraintProgress ConstraintProgress::After(int32_t token) const {
  ConstraintProgress next = *this;
  next.missing_ = MissingAfter(token);
  next.just_met_ = false;
  next.last_ = token;
  if (TakenBack(token) > 0) {
    if (begun_ == 0) --next.met_[group_];
    next.begun_ = 0;
  }
  if (next.begun_ == 0) {
    const size_t group = constraints_->Find(token);
    if (!Begins(group, token)) return next;
    next.group_ = group;
  }
  if (++next.begun_ < next.current().size()) return next;
  ++next.met_[next.group_];
  next.begun_ = 0;
  next.just_met_ = true;
  return next;
}

TokenIds ConstraintProgress::Needed() const {
  if (begun_ > 0) return {current()[begun_]};
  TokenIds needed;
  for (size_t group = 0; group < met_.size(); ++group) {
    const int32_t token = constraints_->FirstToken(group);
    if (Begins(group, token)) needed.push_back(token);
  }
  return needed;
}

}  // namespace seq2seq
