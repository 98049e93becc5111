#include "seq2seq/kernels/packed_sequence.h"

#include <algorithm>

#include "seq2seq/kernels/parallel.h"

namespace seq2seq {

PackedSequence::PackedSequence(absl::Span<const int64_t> lengths, int64_t groups)
    : groups_(static_cast<size_t>(groups)) {
  std::vector<Member> members;
  for (size_t i = 0; i < lengths.size(); ++i) {
    members.push_back({static_cast<int64_t>(i), lengths[i]});
  }
  std::stable_sort(members.begin(), members.end(),
                   [](const Member& a, const Member& b) { return a.length > b.length; });
  for (size_t i = 0; i < members.size(); ++i) groups_[i % groups_.size()].push_back(members[i]);

  const int64_t longest = members.empty() ? 0 : members.front().length;
  for (int64_t step = 0; step <= longest; ++step) {
    for (const std::vector<Member>& group : groups_) {
      const auto end = std::partition_point(
          group.begin(), group.end(), [&](const Member& member) { return member.length > step; });
      begins_.push_back(tokens_);
      counts_.push_back(end - group.begin());
      tokens_ += counts_.back();
    }
  }
}

void PackedSequence::ForEachToken(
    absl::FunctionRef<void(int64_t row, int64_t sequence, int64_t step)> call) const {
  int64_t row = 0;
  for (int64_t step = 0; step < steps(); ++step) {
    for (int64_t group = 0; group < groups(); ++group) {
      for (int64_t i = 0; i < count(step, group); ++i) call(row++, sequence(group, i), step);
    }
  }
}

int64_t GroupsFor(int64_t sequences, int64_t side_by_side) {
  constexpr int64_t kFewest = 8;
  const int64_t threads = (ParallelThreads() + side_by_side - 1) / side_by_side;
  return std::clamp<int64_t>(sequences / kFewest, 1, threads);
}

}  // namespace seq2seq
