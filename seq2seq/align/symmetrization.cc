#include "seq2seq/align/symmetrization.h"

#include <algorithm>
#include <cstddef>

namespace seq2seq {
namespace {

// Links between all words of a pair of sentences.
class Links {
 public:
  Links(size_t sources, size_t targets)
      : sources_(sources),
        targets_(targets),
        set_(sources * targets),
        has_source_(sources),
        has_target_(targets) {}

  bool Has(size_t source, size_t target) const { return set_[target * sources_ + source]; }

  void Add(size_t source, size_t target) {
    set_[target * sources_ + source] = true;
    has_source_[source] = has_target_[target] = true;
  }

  // Whether a word has a link.
  bool HasSource(size_t source) const { return has_source_[source]; }
  bool HasTarget(size_t target) const { return has_target_[target]; }

  size_t sources() const { return sources_; }
  size_t targets() const { return targets_; }

  // Calls visit(source, target) for every link, in the order of target words.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (size_t target = 0; target < targets_; ++target) {
      for (size_t source = 0; source < sources_; ++source) {
        if (Has(source, target)) visit(source, target);
      }
    }
  }

 private:
  const size_t sources_;
  const size_t targets_;
  std::vector<bool> set_;  // [target, source]
  std::vector<bool> has_source_, has_target_;
};

// Adds links of `all` beside those in `links`, diagonally too, as long as they reach a word without
// one.
void GrowDiagonally(const Links& all, Links& links) {
  std::vector<AlignedWords> present;  // Those that are added stand behind.
  links.ForEach([&](size_t source, size_t target) { present.push_back({source, target}); });
  for (size_t i = 0; i < present.size(); ++i) {
    const AlignedWords link = present[i];
    const size_t first_source = link.source - (link.source > 0 ? 1 : 0);
    const size_t first_target = link.target - (link.target > 0 ? 1 : 0);
    for (size_t t = first_target; t < std::min(link.target + 2, all.targets()); ++t) {
      for (size_t s = first_source; s < std::min(link.source + 2, all.sources()); ++s) {
        if (links.Has(s, t) || !all.Has(s, t)) continue;
        if (links.HasSource(s) && links.HasTarget(t)) continue;
        links.Add(s, t);
        present.push_back({s, t});
      }
    }
  }
}

// Adds the links of one direction between words of which neither has any.
void AddFinally(const Links& direction, Links& links) {
  direction.ForEach([&](size_t source, size_t target) {
    if (!links.HasSource(source) && !links.HasTarget(target)) links.Add(source, target);
  });
}

}  // namespace

std::vector<AlignedWords> Symmetrize(absl::Span<const int32_t> forward,
                                     absl::Span<const int32_t> reverse, Symmetrization method) {
  const size_t sources = reverse.size(), targets = forward.size();
  Links of_forward(sources, targets), of_reverse(sources, targets);
  for (size_t target = 0; target < targets; ++target) {
    if (forward[target] >= 0) of_forward.Add(static_cast<size_t>(forward[target]), target);
  }
  for (size_t source = 0; source < sources; ++source) {
    if (reverse[source] >= 0) of_reverse.Add(source, static_cast<size_t>(reverse[source]));
  }
  Links both(sources, targets), all = of_forward;
  of_reverse.ForEach([&](size_t source, size_t target) {
    all.Add(source, target);
    if (of_forward.Has(source, target)) both.Add(source, target);
  });
  const auto list = [](const Links& links) {
    std::vector<AlignedWords> words;
    links.ForEach([&](size_t source, size_t target) { words.push_back({source, target}); });
    return words;
  };
  switch (method) {
    case Symmetrization::kGrowDiagFinalAnd: {
      Links grown = both;
      GrowDiagonally(all, grown);
      AddFinally(of_forward, grown);
      AddFinally(of_reverse, grown);
      return list(grown);
    }
    case Symmetrization::kIntersection:
      return list(both);
    case Symmetrization::kUnion:
      return list(all);
    case Symmetrization::kForward:
      return list(of_forward);
    case Symmetrization::kReverse:
      return list(of_reverse);
  }
  return {};  // Not one of the methods.
}

}  // namespace seq2seq
