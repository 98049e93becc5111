// chrF, the F-score of character n-grams (Popović 2015, "chrF: character n-gram F-score for
// automatic MT evaluation"), and chrF++, which adds word n-grams (Popović 2017), as sacreBLEU 2
// computes them.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(ChrfScore chrf,
//                            CorpusChrf(hypotheses, {references}, {.word_order = 2}));
//   std::cout << chrf.Name() << " = " << chrf.score << "\n";  // chrF2++ = 47.1866
//
// Needs no tokenizer, so it compares across languages with rich morphology better than BLEU does.
#ifndef SEQ2SEQ_METRICS_CHRF_H_
#define SEQ2SEQ_METRICS_CHRF_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/metrics/corpus_metric.h"

namespace seq2seq {

struct ChrfOptions {
  int word_order = 0;      // The longest word n-gram; 2 makes it chrF++.
  bool lowercase = false;  // Set it where the references have no case.
};

struct ChrfScore {
  static constexpr int kCharOrder = 6;
  static constexpr int kBeta = 2;  // Recall counts twice as much as precision.

  double score = 0;  // 0 to 100.

  int64_t num_references = 0;  // Per sentence; 0 where that differs.
  ChrfOptions options;

  // "chrF2"; with words "chrF2++", one plus for each order.
  std::string Name() const;

  // To publish with the score:
  // "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:seq2seq-0.1.0".
  std::string Signature() const;
};

// Scores hypotheses against references[reference][sentence]; each sentence against the reference
// that scores best. An empty line stands for a missing reference if the sentence has another one.
// Returns InvalidArgument without references, where the counts differ, and for a negative
// word_order. Thread-safe.
absl::StatusOr<ChrfScore> CorpusChrf(absl::Span<const std::string> hypotheses,
                                     const std::vector<std::vector<std::string>>& references,
                                     const ChrfOptions& options = {});

// The same as a metric, of a word_order that is not negative; of a row, the counts are the n-grams
// of the hypothesis, those of the reference and the matches, for each order.
std::unique_ptr<const CorpusMetric> MakeChrf(const ChrfOptions& options = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_CHRF_H_
