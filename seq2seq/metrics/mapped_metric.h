// Metric of texts that are changed first, line by line: normalised, split into subwords.
#ifndef SEQ2SEQ_METRICS_MAPPED_METRIC_H_
#define SEQ2SEQ_METRICS_MAPPED_METRIC_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "seq2seq/metrics/corpus_metric.h"

namespace seq2seq {

// Counts `map` of every line, on both sides, with `metric`; in its signature, each text of
// `signature` is replaced by the one behind it. Thread-safe if `map` is.
std::unique_ptr<const CorpusMetric> MakeMappedMetric(
    std::unique_ptr<const CorpusMetric> metric, std::function<std::string(const std::string&)> map,
    std::vector<std::pair<std::string, std::string>> signature = {});

}  // namespace seq2seq

#endif  // SEQ2SEQ_METRICS_MAPPED_METRIC_H_
