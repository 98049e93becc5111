// Beam search over partial alignments, which are extended word by word of the hypothesis. A word
// stays unmatched only if its later occurrences can still give all matches that it can have. So
// every alignment ends with the maximal number of matches, and only chunks are left to compare.
// Unless words repeat there is a single alignment.

#include "seq2seq/metrics/word_alignment.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"

namespace seq2seq {
namespace {

constexpr size_t kBeam = 256;
constexpr size_t kNone = static_cast<size_t>(-1);

struct Word {
  std::vector<size_t> positions;  // Positions in the reference.
  size_t matches = 0;             // Of the word in a complete alignment.
  size_t later = 0;               // Remaining occurrences in the hypothesis.
};

struct Partial {
  int64_t chunks = 0;
  size_t shift = 0;         // Sum of the position differences of matches; breaks ties in chunks.
  size_t last = kNone;      // The match of the last word.
  std::vector<bool> taken;  // [reference]
};

// Extension by one word. Only those that stay in the beam are carried out.
struct Step {
  size_t from;   // Index in the beam.
  size_t match;  // kNone leaves the word unmatched.
  int64_t chunks;
  size_t shift;

  bool operator>(const Step& other) const {
    return std::tie(chunks, shift, from, match) >
           std::tie(other.chunks, other.shift, other.from, other.match);
  }
};

using Words = absl::flat_hash_map<absl::string_view, Word>;

Words CountWords(absl::Span<const std::string> hypothesis,
                 absl::Span<const std::string> reference) {
  Words words;
  for (const std::string& word : hypothesis) ++words[word].later;
  for (size_t j = 0; j < reference.size(); ++j) words[reference[j]].positions.push_back(j);
  for (auto& [text, word] : words) word.matches = std::min(word.later, word.positions.size());
  return words;
}

void AddSteps(const std::vector<Partial>& beam, size_t from, const Word& word, size_t position,
              std::vector<Step>& steps) {
  const Partial& partial = beam[from];
  size_t taken = 0;
  for (const size_t match : word.positions) {
    if (partial.taken[match]) {
      ++taken;
      continue;
    }
    const bool continues = partial.last != kNone && match == partial.last + 1;
    const size_t shift = match > position ? match - position : position - match;
    steps.push_back({from, match, partial.chunks + (continues ? 0 : 1), partial.shift + shift});
  }
  if (word.matches - taken <= word.later) {
    steps.push_back({from, kNone, partial.chunks, partial.shift});
  }
}

std::vector<Partial> CarryOut(std::vector<Step> steps, const std::vector<Partial>& beam) {
  // A heap, because rarely more than the first few are needed.
  std::make_heap(steps.begin(), steps.end(), std::greater<>());
  std::vector<Partial> next;
  // Of two with the same possible continuations, the first is the better.
  absl::flat_hash_set<std::pair<std::vector<bool>, size_t>> seen;
  while (next.size() < kBeam && !steps.empty()) {
    std::pop_heap(steps.begin(), steps.end(), std::greater<>());
    const Step step = steps.back();
    steps.pop_back();
    Partial partial = beam[step.from];
    if (step.match != kNone) partial.taken[step.match] = true;
    if (!seen.emplace(partial.taken, step.match).second) continue;
    partial.chunks = step.chunks;
    partial.shift = step.shift;
    partial.last = step.match;
    next.push_back(std::move(partial));
  }
  return next;
}

}  // namespace

WordAlignment AlignWords(absl::Span<const std::string> hypothesis,
                         absl::Span<const std::string> reference) {
  Words words = CountWords(hypothesis, reference);
  WordAlignment result;
  for (const auto& [text, word] : words) result.matches += static_cast<int64_t>(word.matches);

  std::vector<Partial> beam(1);
  beam.front().taken.resize(reference.size());
  for (size_t i = 0; i < hypothesis.size(); ++i) {
    Word& word = words[hypothesis[i]];
    --word.later;
    std::vector<Step> steps;
    for (size_t from = 0; from < beam.size(); ++from) AddSteps(beam, from, word, i, steps);
    beam = CarryOut(std::move(steps), beam);
  }
  result.chunks = beam.front().chunks;
  return result;
}

}  // namespace seq2seq
