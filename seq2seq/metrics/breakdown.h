// Scores of parts of a corpus: of segments by length, of words by frequency (Neubig et al. 2019,
// "compare-mt: A Tool for Holistic Comparison of Language Generation Systems").
//
//   for (const LengthGroup& group : GroupByLength(reference)) {
//     std::cout << group.shortest << " words and more: "
//               << ScoreSegments(*bleu, counts, group.segments) << "\n";
//   }
#ifndef SEQ2SEQ_METRICS_BREAKDOWN_H_
#define SEQ2SEQ_METRICS_BREAKDOWN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"

#include "seq2seq/metrics/corpus_metric.h"

namespace seq2seq {

// Segments whose reference has a number of words in a range.
struct LengthGroup {
  int64_t shortest = 0;  // In words.
  int64_t longest = 0;
  std::vector<size_t> segments;  // At least one.
};

// Groups of 1 to 10 words, 11 to 20 and so on to 50, and all longer ones; only those that occur.
// Empty references are in the first.
std::vector<LengthGroup> GroupByLength(absl::Span<const std::string> references);

double ScoreSegments(const CorpusMetric& metric, const SegmentCounts& counts,
                     absl::Span<const size_t> segments);

// How often each word occurs.
using WordFrequencies = absl::flat_hash_map<std::string, int64_t>;

// How well words of a range of frequencies are generated.
struct FrequencyGroup {
  int64_t least = 0;  // Occurrences; 0: words that do not occur.
  int64_t most = 0;   // The largest integer for the last group.
  int64_t matches = 0;
  int64_t hypothesis_words = 0;
  int64_t reference_words = 0;

  // The harmonic mean of precision and recall in percent; 0 without matches.
  double F1() const;
};

// Lines as words, tokenised for BLEU.
std::vector<std::vector<std::string>> SplitWords(absl::Span<const std::string> lines,
                                                 const MetricOptions& options);

void CountWords(absl::Span<const std::vector<std::string>> lines, WordFrequencies& frequencies);

// Groups of 0, 1, 2 to 4, 5 to 9, 10 to 99, 100 to 999 occurrences in `frequencies`, and more; only
// those with words of the references. A word matches as often as both lines of a segment have it.
std::vector<FrequencyGroup> ScoreWordsByFrequency(
    absl::Span<const std::vector<std::string>> hypotheses,
    absl::Span<const std::vector<std::string>> references, const WordFrequencies& frequencies);

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_BREAKDOWN_H_
