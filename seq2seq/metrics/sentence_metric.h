// Metrics of single sentences: for the choice among outputs, and for training on them.
#ifndef SEQ2SEQ_METRICS_SENTENCE_METRIC_H_
#define SEQ2SEQ_METRICS_SENTENCE_METRIC_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "seq2seq/metrics/corpus_metric.h"

namespace seq2seq {

// The metric whose score of one segment tells segments apart. BLEU counts one more match and one
// more n-gram for orders above 1 (Chen & Cherry 2014). CIDEr-D takes its document frequencies from
// `corpus`, corpus[reference][segment]; without it, all n-grams weigh the same. InvalidArgument for
// f1, which only a whole corpus has.
absl::StatusOr<std::unique_ptr<const CorpusMetric>> MakeSentenceMetric(
    MetricKind kind, const MetricOptions& options = {},
    const std::vector<std::vector<std::string>>& corpus = {});

// How good each hypothesis is, higher being better: the score of its segment, in the usual units of
// cider, else divided by 100; negative for error rates. InvalidArgument as CorpusMetric::Count.
absl::StatusOr<std::vector<double>> ScoreSentences(
    const CorpusMetric& metric, absl::Span<const std::string> hypotheses,
    const std::vector<std::vector<std::string>>& references);

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_SENTENCE_METRIC_H_
