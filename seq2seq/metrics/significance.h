// Confidence intervals of a metric, and tests whether two systems differ by more than chance (Koehn
// 2004, "Statistical Significance Tests for Machine Translation Evaluation"; Riezler and Maxwell
// 2005, "On Some Pitfalls in Automatic Evaluation and Significance Testing for MT"), with the
// definitions of sacreBLEU 2.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(SegmentCounts a, bleu->Count(baseline, references));
//   SEQ2SEQ_ASSIGN_OR_RETURN(SegmentCounts b, bleu->Count(system, references));
//   const double p = PairedBootstrap(*bleu, a, b);  // Below 0.05: probably not by chance.
//
// All are pure functions of their arguments, cost `samples` sums over all segments, and are
// thread-safe. Counts are not empty, and those of two systems have the same segments.
#ifndef SEQ2SEQ_METRICS_SIGNIFICANCE_H_
#define SEQ2SEQ_METRICS_SIGNIFICANCE_H_

#include <cstdint>

#include "seq2seq/metrics/corpus_metric.h"

namespace seq2seq {

struct Resampling {
  int64_t samples = 1000;  // At least 1.
  uint64_t seed = 12345;
};

// Of the scores of resamples of the segments, drawn with replacement.
struct ConfidenceInterval {
  double mean = 0;
  double half_width = 0;  // Half the distance of the scores that cut off 2.5% on each side.
};

ConfidenceInterval BootstrapInterval(const CorpusMetric& metric, const SegmentCounts& counts,
                                     const Resampling& resampling = {});

// The probability (p-value) of a difference in score at least as large as that of both systems if
// they were equally good: the share of resamples, drawn for both alike, whose absolute difference
// exceeds the mean one by more than the difference of the systems.
double PairedBootstrap(const CorpusMetric& metric, const SegmentCounts& baseline,
                       const SegmentCounts& system, const Resampling& resampling = {});

// The same probability by approximate randomisation: the share of random exchanges of the
// segments' outputs between the systems that makes the difference larger. It needs more samples,
// and assumes less. Where the systems differ in a few segments alone, all to the advantage of one,
// no exchange makes it larger, and the probability says nothing.
double ApproximateRandomization(const CorpusMetric& metric, const SegmentCounts& baseline,
                                const SegmentCounts& system,
                                const Resampling& resampling = {.samples = 10000});

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_SIGNIFICANCE_H_
