// Metrics of translated validation data.
#ifndef SEQ2SEQ_TRAIN_TRANSLATION_METRICS_H_
#define SEQ2SEQ_TRAIN_TRANSLATION_METRICS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace seq2seq {

// {"bleu", "chrf", "accuracy"}: BLEU, chrF and the percentage of lines equal to the reference, as
// `seq2seq eval` gives them. references[reference][line].
absl::StatusOr<std::map<std::string, double>> TranslationMetrics(
    const std::vector<std::string>& translations,
    const std::vector<std::vector<std::string>>& references);

}  // namespace seq2seq

#endif  // SEQ2SEQ_TRAIN_TRANSLATION_METRICS_H_
