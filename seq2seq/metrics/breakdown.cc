#include "seq2seq/metrics/breakdown.h"

#include <algorithm>
#include <array>
#include <limits>

#include "absl/container/btree_map.h"

#include "seq2seq/metrics/segments.h"

namespace seq2seq {
namespace {

constexpr int64_t kLengthStep = 10;
constexpr int64_t kLengthGroups = 6;
constexpr std::array<int64_t, 7> kLeastFrequencies = {0, 1, 2, 5, 10, 100, 1000};
constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();

std::vector<FrequencyGroup> EmptyFrequencyGroups() {
  std::vector<FrequencyGroup> groups;
  for (size_t i = 0; i < kLeastFrequencies.size(); ++i) {
    const bool last = i + 1 == kLeastFrequencies.size();
    groups.push_back(
        {.least = kLeastFrequencies[i], .most = last ? kUnlimited : kLeastFrequencies[i + 1] - 1});
  }
  return groups;
}

FrequencyGroup& GroupOf(const std::string& word, const WordFrequencies& frequencies,
                        std::vector<FrequencyGroup>& groups) {
  const auto known = frequencies.find(word);
  const int64_t frequency = known == frequencies.end() ? 0 : known->second;
  return *std::find_if(groups.begin(), groups.end(),
                       [&](const FrequencyGroup& group) { return frequency <= group.most; });
}

}  // namespace

std::vector<LengthGroup> GroupByLength(absl::Span<const std::string> references) {
  absl::btree_map<int64_t, LengthGroup> groups;
  for (size_t i = 0; i < references.size(); ++i) {
    const auto words = static_cast<int64_t>(Tokenize(references[i], Tokenization::kNone).size());
    const int64_t place = std::clamp<int64_t>((words - 1) / kLengthStep, 0, kLengthGroups - 1);
    LengthGroup& group = groups[place];
    group.shortest = place * kLengthStep + 1;
    group.longest = place + 1 == kLengthGroups ? kUnlimited : (place + 1) * kLengthStep;
    group.segments.push_back(i);
  }
  std::vector<LengthGroup> found;
  for (auto& [place, group] : groups) found.push_back(std::move(group));
  return found;
}

double ScoreSegments(const CorpusMetric& metric, const SegmentCounts& counts,
                     absl::Span<const size_t> segments) {
  std::vector<double> sum(counts.width);
  for (const size_t segment : segments) {
    for (size_t i = 0; i < counts.width; ++i) sum[i] += counts[segment][i];
  }
  return metric.Score(sum);
}

double FrequencyGroup::F1() const {
  const int64_t both = hypothesis_words + reference_words;
  return both == 0 ? 0 : 200 * static_cast<double>(matches) / static_cast<double>(both);
}

std::vector<std::vector<std::string>> SplitWords(absl::Span<const std::string> lines,
                                                 const MetricOptions& options) {
  std::vector<std::vector<std::string>> split;
  split.reserve(lines.size());
  for (const std::string& line : lines) {
    const bool subwords = options.tokenize == Tokenization::kSubwords && options.subwords;
    split.push_back(Tokenize(subwords ? options.subwords(line) : line, options.tokenize,
                             options.lowercase, options.language));
  }
  return split;
}

void CountWords(absl::Span<const std::vector<std::string>> lines, WordFrequencies& frequencies) {
  for (const std::vector<std::string>& line : lines) {
    for (const std::string& word : line) ++frequencies[word];
  }
}

std::vector<FrequencyGroup> ScoreWordsByFrequency(
    absl::Span<const std::vector<std::string>> hypotheses,
    absl::Span<const std::vector<std::string>> references, const WordFrequencies& frequencies) {
  std::vector<FrequencyGroup> groups = EmptyFrequencyGroups();
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    WordFrequencies unmatched;
    for (const std::string& word : references[i]) {
      ++unmatched[word];
      ++GroupOf(word, frequencies, groups).reference_words;
    }
    for (const std::string& word : hypotheses[i]) {
      FrequencyGroup& group = GroupOf(word, frequencies, groups);
      ++group.hypothesis_words;
      const auto left = unmatched.find(word);
      if (left == unmatched.end() || left->second == 0) continue;
      --left->second;
      ++group.matches;
    }
  }
  groups.erase(
      std::remove_if(groups.begin(), groups.end(),
                     [](const FrequencyGroup& group) { return group.reference_words == 0; }),
      groups.end());
  return groups;
}

}  // namespace seq2seq
