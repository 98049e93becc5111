// Minimum error rate training of the weights of features (Och 2003).
#ifndef SEQ2SEQ_SEARCH_ERROR_RATE_TRAINING_H_
#define SEQ2SEQ_SEARCH_ERROR_RATE_TRAINING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "seq2seq/metrics/corpus_metric.h"
#include "seq2seq/search/n_best_lists.h"

namespace seq2seq {

struct TrainedWeights {
  std::vector<double> weights;  // Of the features; the sum of their absolute values is 1.
  double before = 0;            // The metric with the initial weights, and with these.
  double after = 0;
};

// The weights with which the best entries of the lists score best by `metric`, found by exact line
// searches along each feature and as many random directions, from `initial` and from random
// weights, `restarts` times; a function of its arguments. references[reference][list]. Costs a
// score of the metric for each weight at which the best entry of a sentence changes: seconds for
// 1,000 lists of 100. InvalidArgument as CorpusMetric::Count.
absl::StatusOr<TrainedWeights> TrainWeights(const NBestLists& lists, const CorpusMetric& metric,
                                            const std::vector<std::vector<std::string>>& references,
                                            const std::vector<double>& initial,
                                            int64_t restarts = 8, uint64_t seed = 1);

}  // namespace seq2seq

#endif  // SEQ2SEQ_SEARCH_ERROR_RATE_TRAINING_H_
