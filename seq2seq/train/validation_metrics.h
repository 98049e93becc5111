// Validation metrics, by the names that train.metric lists and log.jsonl has.
//
//   loss, perplexity   of the reference (validation_loss.h)
//   bleu, chrf, …      of decoded outputs, every MetricKind by its text
//   command            of decoded outputs, what the user's own command prints; higher is better
//   news.bleu          the same of the validation set `news`
#ifndef SEQ2SEQ_TRAIN_VALIDATION_METRICS_H_
#define SEQ2SEQ_TRAIN_VALIDATION_METRICS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "seq2seq/metrics/corpus_metric.h"

namespace seq2seq {

inline constexpr char kCommandMetric[] = "command";

// The parts of a name: "news.bleu" is {"news", "bleu"}, "bleu" {"", "bleu"}.
struct ValidationMetricName {
  std::string set;
  std::string metric;

  static ValidationMetricName Parse(absl::string_view name);
};

// InvalidArgument, naming train.metric and the name, if one is no metric, or names none of the
// `further` validation sets, or if there are none or two alike.
absl::Status ValidateMetricNames(const std::vector<std::string>& names,
                                 const std::vector<std::string>& further);

// Whether all are computed without decoding.
bool AreLosses(const std::vector<std::string>& names);

// Whether `names` have the command.
bool HaveCommand(const std::vector<std::string>& names);

// The value of a valid name, negated where lower is better.
double MetricScore(absl::string_view name, double value);

// bleu, chrf and accuracy of outputs against references[reference][line], and those of the set
// `set` among `names`. Costs what these metrics cost, and nothing of it twice.
absl::StatusOr<std::map<std::string, double>> OutputMetrics(
    const std::vector<std::string>& outputs,
    const std::vector<std::vector<std::string>>& references, const std::vector<std::string>& names,
    absl::string_view set, const MetricOptions& options);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_VALIDATION_METRICS_H_
