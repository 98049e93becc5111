#include "seq2seq/search/top_k.h"

#include <algorithm>
#include <limits>

namespace seq2seq {
namespace {

// Whether any of the kBlock scores is above `threshold`: a loop that compilers vectorise.
constexpr size_t kBlock = 64;
bool AnyAbove(const float* scores, float threshold) {
  int above = 0;
  for (size_t i = 0; i < kBlock; ++i) above |= scores[i] > threshold ? 1 : 0;
  return above != 0;
}

}  // namespace

std::vector<ScoredColumn> TopK(absl::Span<const float> scores, size_t count) {
  std::vector<ScoredColumn> best;  // A heap with the worst in front.
  if (count == 0) return best;
  best.reserve(count + 1);
  float threshold = -std::numeric_limits<float>::infinity();
  const auto consider = [&](size_t column) {
    if (!(scores[column] > threshold)) return;
    best.push_back({scores[column], column});
    std::push_heap(best.begin(), best.end());
    if (best.size() > count) {
      std::pop_heap(best.begin(), best.end());
      best.pop_back();
    }
    // Of equal scores the leftmost stay: later ones must be higher.
    if (best.size() == count) threshold = best.front().score;
  };
  size_t column = 0;
  for (; column + kBlock <= scores.size(); column += kBlock) {
    if (!AnyAbove(scores.data() + column, threshold)) continue;
    for (size_t i = 0; i < kBlock; ++i) consider(column + i);
  }
  for (; column < scores.size(); ++column) consider(column);
  std::sort_heap(best.begin(), best.end());
  return best;
}

}  // namespace seq2seq
