#include "seq2seq/search/alignment.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"

namespace seq2seq {

std::vector<size_t> WordOfSubword(const std::vector<std::string>& subwords, size_t count) {
  std::vector<size_t> words;
  size_t word = 0;
  for (size_t i = 0; i < count; ++i) {
    if (i > 0 && absl::StartsWith(subwords[i], "\u2581")) ++word;
    words.push_back(word);
  }
  return words;
}

std::vector<AlignedWords> AlignWords(const Candidate& candidate) {
  const Alignment& alignment = candidate.alignment;
  if (alignment.weights.empty() || alignment.source.size() < 2 || candidate.subwords.empty()) {
    return {};
  }
  const std::vector<size_t> sources = WordOfSubword(alignment.source, alignment.source.size() - 1);
  const std::vector<size_t> targets = WordOfSubword(candidate.subwords, candidate.subwords.size());
  // [target word][source word], sums of attention weights.
  std::vector<std::vector<double>> sums(targets.back() + 1,
                                        std::vector<double>(sources.back() + 1));
  for (size_t i = 0; i < targets.size(); ++i) {
    for (size_t j = 0; j < sources.size(); ++j) {
      sums[targets[i]][sources[j]] += static_cast<double>(alignment.weights[i][j]);
    }
  }
  std::vector<AlignedWords> aligned;
  for (size_t target = 0; target < sums.size(); ++target) {
    const auto most = std::max_element(sums[target].begin(), sums[target].end());
    aligned.push_back({static_cast<size_t>(most - sums[target].begin()), target});
  }
  return aligned;
}

}  // namespace seq2seq
