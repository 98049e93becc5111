// ROUGE-L, the F-score of the longest common subsequence (Lin 2004, "ROUGE: A Package for Automatic
// Evaluation of Summaries", section 3), as coco-caption computes it for image captions.
//
//   SEQ2SEQ_ASSIGN_OR_RETURN(double rouge_l, CorpusRougeL(captions, references));
#ifndef SEQ2SEQ_METRICS_ROUGE_H_
#define SEQ2SEQ_METRICS_ROUGE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/metrics/corpus_metric.h"

namespace seq2seq {

// Returns the mean over the segments, 0 to 100, of (1 + b²) P R / (R + b² P). A segment's P is its
// longest common subsequence with a reference in words over the length of the hypothesis, R that
// over the length of the reference, each from the reference where it is highest; b is 1.2.
//
// Words are separated by spaces, and case matters: see NormalizeCaption for captions. An empty line
// of references[reference][segment] stands for a missing reference if the segment has another one.
// Returns 0 without segments; InvalidArgument without references, and where the counts differ. For
// each pair of lines the time is the product of their lengths. Thread-safe.
absl::StatusOr<double> CorpusRougeL(absl::Span<const std::string> hypotheses,
                                    const std::vector<std::vector<std::string>>& references);

// The same as a metric; of a row, the counts are the score of the segment and 1.
std::unique_ptr<const CorpusMetric> MakeRougeL();

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_ROUGE_H_
