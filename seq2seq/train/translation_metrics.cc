#include "seq2seq/train/translation_metrics.h"

#include "seq2seq/base/status_macros.h"
#include "seq2seq/metrics/bleu.h"
#include "seq2seq/metrics/chrf.h"
#include "seq2seq/metrics/error_rate.h"

namespace seq2seq {

absl::StatusOr<std::map<std::string, double>> TranslationMetrics(
    const std::vector<std::string>& translations,
    const std::vector<std::vector<std::string>>& references) {
  SEQ2SEQ_ASSIGN_OR_RETURN(const BleuScore bleu, CorpusBleu(translations, references));
  SEQ2SEQ_ASSIGN_OR_RETURN(const ChrfScore chrf, CorpusChrf(translations, references));
  SEQ2SEQ_ASSIGN_OR_RETURN(const ErrorRate errors, CorpusErrorRate(translations, references));
  return std::map<std::string, double>{
      {"bleu", bleu.score}, {"chrf", chrf.score}, {"accuracy", errors.Accuracy()}};
}

}  // namespace seq2seq
